// Light and dark: the system's, until it is chosen here.

const KEY = "rtcluster-theme";
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // a browser may forbid it
  }
}

export function theme(changed) {
  const button = document.querySelector("#theme");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const show = () => {
    button.textContent = isDark() ? "Light" : "Dark";
    changed();
  };
  const found = chosen();
  if (found === "dark" || found === "light") root.dataset.theme = found;
  dark.addEventListener("change", show);
  show();
  return {
    toggle() {
      root.dataset.theme = isDark() ? "light" : "dark";
      try {
        localStorage.setItem(KEY, root.dataset.theme);
      } catch {
        // then it holds as long as the page
      }
      show();
    },
  };
}
