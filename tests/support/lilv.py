"""A host on lilv, the library by which Ardour, jalv and others load LV2 plug-ins and keep sessions.

Its C functions are called by ctypes: the library comes with ``jalv`` and ``lilv-utils``.
"""

from __future__ import annotations

import ctypes
import functools
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_double, c_float, c_uint32, c_void_p
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ATOM = "http://lv2plug.in/ns/ext/atom#"
LV2 = "http://lv2plug.in/ns/lv2core#"
URID = "http://lv2plug.in/ns/ext/urid#"

_ROOM = 1 << 14  # bytes of an atom port


class _Feature(ctypes.Structure):
    _fields_ = (("uri", c_char_p), ("data", c_void_p))


class _Map(ctypes.Structure):
    """``urid:map`` and ``urid:unmap``."""

    _fields_ = (("handle", c_void_p), ("call", c_void_p))


class _Descriptor(ctypes.Structure):
    _fields_ = (
        ("uri", c_char_p),
        ("instantiate", c_void_p),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)),
    )


class _Instance(ctypes.Structure):
    _fields_ = (("plugin", POINTER(_Descriptor)), ("handle", c_void_p), ("own", c_void_p))


_GET = CFUNCTYPE(c_void_p, c_char_p, c_void_p, POINTER(c_uint32), POINTER(c_uint32))
_SET = CFUNCTYPE(None, c_char_p, c_void_p, c_void_p, c_uint32, c_uint32)

_CALLS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "world_new": (c_void_p, ()),
    "world_free": (None, (c_void_p,)),
    "world_load_bundle": (None, (c_void_p, c_void_p)),
    "world_get_all_plugins": (c_void_p, (c_void_p,)),
    "plugins_get_by_uri": (c_void_p, (c_void_p, c_void_p)),
    "new_uri": (c_void_p, (c_void_p, c_char_p)),
    "new_file_uri": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "node_as_string": (c_char_p, (c_void_p,)),
    "node_free": (None, (c_void_p,)),
    "plugin_get_num_ports": (c_uint32, (c_void_p,)),
    "plugin_get_port_by_index": (c_void_p, (c_void_p, c_uint32)),
    "plugin_get_port_ranges_float": (None, (c_void_p, *[POINTER(c_float)] * 3)),
    "port_get_symbol": (c_void_p, (c_void_p, c_void_p)),
    "port_is_a": (ctypes.c_bool, (c_void_p, c_void_p, c_void_p)),
    "plugin_instantiate": (POINTER(_Instance), (c_void_p, c_double, c_void_p)),
    "instance_free": (None, (POINTER(_Instance),)),
    "state_new_from_instance": (
        c_void_p,
        (c_void_p, POINTER(_Instance), c_void_p, *[c_char_p] * 4, _GET, c_void_p, c_uint32,
         c_void_p),
    ),
    "state_save": (ctypes.c_int, (*[c_void_p] * 4, c_char_p, c_char_p, c_char_p)),
    "state_new_from_file": (c_void_p, (c_void_p, c_void_p, c_void_p, c_char_p)),
    "state_restore": (
        None, (c_void_p, POINTER(_Instance), _SET, c_void_p, c_uint32, c_void_p),
    ),
    "state_free": (None, (c_void_p,)),
}  # fmt: skip


def missing() -> str:
    """Say what is lacking here; empty if nothing is."""
    return "" if find_library("lilv-0") else "not installed: lilv (Debian: lilv-utils)"


@functools.cache
def _lilv() -> Any:
    library = ctypes.CDLL(find_library("lilv-0"))
    for name, (result, arguments) in _CALLS.items():
        function = getattr(library, f"lilv_{name}")
        function.restype, function.argtypes = result, arguments
        setattr(library, name, function)
    return library


class Plugin:
    """An instance of a plug-in in a host of its own, which knows nothing of any other.

    Parameters
    ----------
    bundle : Path
    uri : str
    rate : int
        Hz.

    Attributes
    ----------
    controls : dict of str to float
        Values of the control ports by symbol; at first what the description says.
    """

    def __init__(self, bundle: Path, uri: str, rate: int = 44100) -> None:
        self._lilv = lilv = _lilv()
        self._uris: list[bytes] = []
        self._world = lilv.world_new()
        lilv.world_load_bundle(
            self._world, lilv.new_file_uri(self._world, None, f"{bundle}/".encode())
        )
        self._plugin = lilv.plugins_get_by_uri(
            lilv.world_get_all_plugins(self._world), self._node(uri)
        )
        self._callbacks = (
            CFUNCTYPE(c_uint32, c_void_p, c_char_p)(lambda _, uri: self._urid(uri)),
            CFUNCTYPE(c_void_p, c_void_p, c_uint32)(self._address_of_uri),
        )
        self._map, self._unmap = (
            _Map(None, ctypes.cast(call, c_void_p)) for call in self._callbacks
        )
        offered = {"map": self._map, "unmap": self._unmap}
        self._features = [
            _Feature(f"{URID}{name}".encode(), ctypes.addressof(data))
            for name, data in offered.items()
        ]
        pointers = [*map(ctypes.addressof, self._features), None]
        self._instance = lilv.plugin_instantiate(
            self._plugin, rate, (c_void_p * len(pointers))(*pointers)
        )
        if not self._instance:
            raise RuntimeError(f"{uri} could not be loaded.")
        self._ports: dict[str, npt.NDArray[Any]] = {}
        self.controls: dict[str, float] = {}
        self._connect()

    def _node(self, uri: str) -> Any:
        return self._lilv.new_uri(self._world, uri.encode())

    def _urid(self, uri: bytes) -> int:
        if uri not in self._uris:
            self._uris.append(uri)
        return self._uris.index(uri) + 1

    def _address_of_uri(self, _: Any, urid: int) -> int | None:
        return ctypes.cast(c_char_p(self._uris[urid - 1]), c_void_p).value

    def _connect(self) -> None:
        count = self._lilv.plugin_get_num_ports(self._plugin)
        defaults = (c_float * count)()
        self._lilv.plugin_get_port_ranges_float(self._plugin, None, None, defaults)
        kinds = {name: self._node(f"{LV2}{name}Port") for name in ("Audio", "Control")}
        for index in range(count):
            port = self._lilv.plugin_get_port_by_index(self._plugin, index)
            node = self._lilv.port_get_symbol(self._plugin, port)
            symbol = self._lilv.node_as_string(node).decode()
            if self._lilv.port_is_a(self._plugin, port, kinds["Control"]):
                self.controls[symbol] = defaults[index]
                data = np.zeros(1, np.float32)
            elif self._lilv.port_is_a(self._plugin, port, kinds["Audio"]):
                data = np.zeros(1 << 13, np.float32)
            else:
                data = np.zeros(_ROOM // 8, np.uint64)
            self._ports[symbol] = data
            plugin = self._instance.contents
            plugin.plugin.contents.connect_port(plugin.handle, index, data.ctypes.data)

    def play(self, audio: npt.NDArray[np.float32], block: int = 64) -> list[tuple[int, int, int]]:
        """Play audio, in blocks of so many frames; frame, note and velocity of each note-on."""
        plugin = self._instance.contents
        notes = []
        plugin.plugin.contents.activate(plugin.handle)
        for begin in range(0, len(audio), block):
            piece = audio[begin : begin + block]
            self._ports["in"][: len(piece)] = piece
            for symbol, value in self.controls.items():
                self._ports[symbol][0] = value
            self._ports["midi"].view(np.uint32)[0] = _ROOM - 8
            plugin.plugin.contents.run(plugin.handle, len(piece))
            for frame, message in self._sequence("midi"):
                if message[0] == 0x99:
                    notes.append((begin + frame, message[1], message[2]))
        return notes

    def _sequence(self, symbol: str) -> list[tuple[int, bytes]]:
        """Frame and content of each event in an atom port."""
        content = self._ports[symbol].tobytes()
        end, at = 8 + int(np.frombuffer(content, np.uint32, 1)[0]), 16
        out = []
        while at < end:
            frame = int(np.frombuffer(content, np.int64, 1, at)[0])
            size = int(np.frombuffer(content, np.uint32, 1, at + 8)[0])
            out.append((frame, content[at + 16 : at + 16 + size]))
            at += 16 + (size + 7) // 8 * 8
        return out

    def save(self, folder: Path) -> None:
        """Save what it is set to, as a host saves it with a session; jalv loads it with ``-l``."""
        as_float = self._urid(f"{ATOM}Float".encode())
        values = {symbol: c_float(value) for symbol, value in self.controls.items()}

        def get(symbol: bytes, _: Any, size: Any, kind: Any) -> int:
            size[0], kind[0] = 4, as_float
            return ctypes.addressof(values[symbol.decode()])

        folder.mkdir(exist_ok=True)
        name = str(folder).encode()
        state = self._lilv.state_new_from_instance(
            self._plugin, self._instance, ctypes.addressof(self._map), *[name] * 4, _GET(get),
            None, 0, None,
        )  # fmt: skip
        maps = ctypes.addressof(self._map), ctypes.addressof(self._unmap)
        failed = self._lilv.state_save(self._world, *maps, state, None, name, b"state.ttl")
        self._lilv.state_free(state)
        if failed:
            raise RuntimeError(f"The state could not be saved to {folder}.")

    def restore(self, folder: Path) -> None:
        """Set it to what was saved."""

        def set_value(symbol: bytes, _: Any, value: int, _size: int, _kind: int) -> None:
            self.controls[symbol.decode()] = c_float.from_address(value).value

        path = str(folder / "state.ttl").encode()
        state = self._lilv.state_new_from_file(self._world, ctypes.addressof(self._map), None, path)
        if not state:
            raise RuntimeError(f"{folder} has no state.")
        self._lilv.state_restore(state, self._instance, _SET(set_value), None, 0, None)
        self._lilv.state_free(state)

    def close(self) -> None:
        """End it."""
        self._lilv.instance_free(self._instance)
        self._lilv.world_free(self._world)

    def __enter__(self) -> Plugin:
        """Enter the context."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self.close()
