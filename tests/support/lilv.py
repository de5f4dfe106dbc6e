"""A host on lilv, the library by which Ardour, jalv and others load LV2 plug-ins and keep sessions.

Its C functions are called by ctypes: the library comes with ``jalv`` and ``lilv-utils``.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from collections.abc import Iterator
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_double, c_float, c_uint32, c_void_p
from ctypes.util import find_library
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ATOM = "http://lv2plug.in/ns/ext/atom#"
LV2 = "http://lv2plug.in/ns/lv2core#"
PATCH = "http://lv2plug.in/ns/ext/patch#"
URID = "http://lv2plug.in/ns/ext/urid#"
WORKER = "http://lv2plug.in/ns/ext/worker#"

_ROOM = 1 << 14  # bytes of an atom port


class _Feature(ctypes.Structure):
    _fields_ = (("uri", c_char_p), ("data", c_void_p))


class _Call(ctypes.Structure):
    """``urid:map``, ``urid:unmap`` and ``work:schedule``."""

    _fields_ = (("handle", c_void_p), ("call", c_void_p))


class _Descriptor(ctypes.Structure):
    _fields_ = (
        ("uri", c_char_p),
        ("instantiate", c_void_p),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("deactivate", c_void_p),
        ("cleanup", c_void_p),
        ("extension_data", CFUNCTYPE(c_void_p, c_char_p)),
    )


_RESPOND = CFUNCTYPE(ctypes.c_int, c_void_p, c_uint32, c_void_p)


class _Worker(ctypes.Structure):
    _fields_ = (
        ("work", CFUNCTYPE(ctypes.c_int, c_void_p, _RESPOND, c_void_p, c_uint32, c_char_p)),
        ("work_response", CFUNCTYPE(ctypes.c_int, c_void_p, c_uint32, c_void_p)),
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
    parameters : dict of str to str
        What the plug-in has told of its parameters, by URI.
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
            CFUNCTYPE(ctypes.c_int, c_void_p, c_uint32, c_void_p)(self._schedule),
        )
        self._map, self._unmap, self._scheduler = (
            _Call(None, ctypes.cast(call, c_void_p)) for call in self._callbacks
        )
        offered = {
            f"{URID}map": self._map,
            f"{URID}unmap": self._unmap,
            f"{WORKER}schedule": self._scheduler,
        }
        self._features = [
            _Feature(uri.encode(), ctypes.addressof(data)) for uri, data in offered.items()
        ]
        self._ordered: list[bytes] = []
        self._message = b""
        pointers = [*map(ctypes.addressof, self._features), None]
        self._instance = lilv.plugin_instantiate(
            self._plugin, rate, (c_void_p * len(pointers))(*pointers)
        )
        if not self._instance:
            raise RuntimeError(f"{uri} could not be loaded.")
        self._ports: dict[str, npt.NDArray[Any]] = {}
        self.controls: dict[str, float] = {}
        self.parameters: dict[str, str] = {}
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
            for symbol in {"midi", "notify"} & self._ports.keys():
                self._ports[symbol].view(np.uint32)[0] = _ROOM - 8
            if "control" in self._ports:
                self._write(self._message)
                self._message = b""
            plugin.plugin.contents.run(plugin.handle, len(piece))
            if "notify" in self._ports:
                self._work()
                self._listen()
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

    def set(self, parameter: str, kind: str, value: str) -> None:
        """With the next block, set a parameter to a value of this kind of atom."""
        text = value.encode() + b"\0"
        self._message = self._object(
            "Set",
            ("property", self._atom("URID", struct.pack("<I", self._urid(parameter.encode())))),
            ("value", self._atom(kind, text)),
        )

    def get(self) -> None:
        """With the next block, ask for the parameters."""
        self._message = self._object("Get")

    def _object(self, kind: str, *properties: tuple[str, bytes]) -> bytes:
        body = struct.pack("<2I", 0, self._urid(f"{PATCH}{kind}".encode()))
        for name, atom in properties:
            body += struct.pack("<2I", self._urid(f"{PATCH}{name}".encode()), 0) + atom
        return self._atom("Object", body)

    def _atom(self, kind: str, content: bytes) -> bytes:
        head = struct.pack("<2I", len(content), self._urid(f"{ATOM}{kind}".encode()))
        return head + content + bytes(-len(content) % 8)

    def _write(self, message: bytes) -> None:
        """A sequence of one message, or of none."""
        content = bytes(8) + (bytes(8) + message if message else b"")
        atom = self._atom("Sequence", content)
        self._ports["control"].view(np.uint8)[: len(atom)] = np.frombuffer(atom, np.uint8)

    def _schedule(self, _: Any, size: int, data: int) -> int:
        self._ordered.append(ctypes.string_at(data, size))
        return 0

    def _work(self) -> None:
        plugin = self._instance.contents
        found = plugin.plugin.contents.extension_data(f"{WORKER}interface".encode())
        worker = _Worker.from_address(found)
        respond = _RESPOND(lambda _, size, data: worker.work_response(plugin.handle, size, data))
        for order in self._ordered:
            worker.work(plugin.handle, respond, None, len(order), order)
        self._ordered.clear()

    def _listen(self) -> None:
        for _, message in self._sequence("notify"):
            told = dict(self._properties(message))
            (parameter,) = struct.unpack("<I", told["property"])
            uri = self._uris[parameter - 1].decode()
            self.parameters[uri] = told["value"].rstrip(b"\0").decode()

    def _properties(self, message: bytes) -> Iterator[tuple[str, bytes]]:
        """Name and content of each property of a message."""
        at = 8
        while at < len(message):
            key, _, size = struct.unpack_from("<3I", message, at)
            yield self._uris[key - 1].decode().removeprefix(PATCH), message[at + 16 :][:size]
            at += 16 + (size + 7) // 8 * 8

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
