"""What the HTML pages have in common: colours, marks, charts, style."""
