"""Hits as MIDI notes, for a sampler, a sequencer or a lamp.

A hit is a note-on on channel 10 for each drum that sounds in it, with its velocity, and a note-off
:data:`LENGTH_S` later, or before the next note-on of the same pitch. When it is sent is a choice:

==========  ================================  ====================================================
``send``    after the hit, by default         note
==========  ================================  ====================================================
``onset``   some 10 ms                        one for all hits, 38 or ``--note onset=NN``: what
                                              drum it is, is not known yet
``guess``   30 ms and the onset's share       of the class, see :mod:`rtcluster.sinks.drum_map`
``final``   90 ms and the onset's share       of the class
==========  ================================  ====================================================

At ``guess`` and ``final`` nothing is sent for a hit without a class: while learning, unless
``--note learning=NN`` gives those hits a note; and for one that is like no drum so far, unless
``--note unknown=NN`` does. A later final or relabel sends nothing more: a hit is sent once. A
muted class is silent, except at ``onset``. Where every channel is listened to (``-c all``), a hit
is a note as always, and which channel it is of is not told.

The pump thread sends the note-ons. A thread of the sink's own sends the note-offs; it sleeps
between them, so the pump never does.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping

from rtcluster.errors import RtclusterError, SettingsError
from rtcluster.events import LEARNING, UNKNOWN, UNKNOWN_NAME, Classified, Event, Final, Guess, Onset
from rtcluster.sinks.drum_map import CHANNEL, given_note, note_of
from rtcluster.sinks.midi_ports import MidiPort, open_port
from rtcluster.sinks.sending import Latest, Sending
from rtcluster.timing import joined

SEND = {"onset": Onset, "guess": Guess, "final": Final}
"""When a note is sent: with which of a hit's events."""

ONSET_NOTE = 38
"""Note of every hit that is sent at its onset, if no other was given: the snare's."""

LENGTH_S = 0.050
"""From a note-on to its note-off, in seconds."""

PATIENCE_S = 2.0
"""For the last notes to end, in seconds, of a port that may stand still."""

_NOTE_ON, _NOTE_OFF = 0x90 | CHANNEL, 0x80 | CHANNEL
_RELEASE = 64  # the velocity of a note-off that was not measured


class MidiOut(Sending):
    """Sends a note for each hit.

    Parameters
    ----------
    port : MidiPort
        Open; closed by :meth:`close`.
    send : {"guess", "onset", "final"}
    notes : mapping of str to int, optional
        Notes given by a person, by the name or number of a class, or ``onset``, ``learning``,
        ``unknown``; see :func:`rtcluster.sinks.drum_map.parse_notes`.
    offset_s : float
        From a sound at the microphone to its audio in the program, in seconds. It is a part of
        ``after_hit_ms``; nothing is sent sooner or later for it.

    Raises
    ------
    SettingsError
        If ``send`` is none of the three.
    """

    label, kind = "MIDI output", "midi"

    def __init__(
        self,
        port: MidiPort,
        *,
        send: str = "guess",
        notes: Mapping[str, int] | None = None,
        offset_s: float = 0.0,
    ) -> None:
        super().__init__()
        self.port = port
        self._sends = _event_of(send)
        self._given = dict(notes or {})
        self._note_of: dict[tuple[int, str], int | None] = {}
        self._offset_ms = 1e3 * offset_s
        self._after_hit = Latest()
        self._sounding: dict[int, int] = {}  # by note, which note-on of the session it was
        self._begun = 0
        self._sound = threading.Lock()  # around the port and the notes that sound
        self._to_end: queue.SimpleQueue[tuple[float, int, int] | None] = queue.SimpleQueue()
        self._over = threading.Event()
        self._failed: Exception | None = None
        self._thread = threading.Thread(
            target=self._end_notes, name="rtcluster-note-offs", daemon=True
        )

    @classmethod
    def open(
        cls,
        port: str,
        *,
        send: str = "guess",
        notes: Mapping[str, int] | None = None,
        offset_s: float = 0.0,
    ) -> MidiOut:
        """Send to the output whose name holds ``port``, or to a new virtual one of that name.

        Raises
        ------
        RtclusterError
            As :func:`rtcluster.sinks.midi_ports.open_port`; and as the class itself.
        """
        _event_of(send)
        return cls(open_port(port), send=send, notes=notes, offset_s=offset_s)

    def begin(self, session: dict[str, object]) -> None:
        """Begin to count, and be ready to end notes."""
        super().begin(session)
        self._after_hit = Latest()
        if self._thread.ident is None:
            self._thread.start()

    def event(self, event: Event) -> None:
        """Send the event's note, if there is one for it."""
        if self._failed is not None:
            raise RtclusterError(str(self._failed)) from self._failed
        super().event(event)

    def _send(self, event: Onset | Classified) -> bool:
        if type(event) is not self._sends:
            return False
        notes = self._notes(event)
        for note, velocity in notes.items():
            self._begin_note(note, velocity)
        return bool(notes)

    def _begin_note(self, note: int, velocity: int) -> None:
        with self._sound:
            if note in self._sounding:
                self.port.send((_NOTE_OFF, note, _RELEASE))
            self.port.send((_NOTE_ON, note, velocity))
            self._begun += 1
            self._sounding[note] = self._begun
        self._to_end.put((time.monotonic() + LENGTH_S, note, self._begun))

    def _notes(self, event: Onset | Classified) -> dict[int, int]:
        """Notes of the event, each with its velocity; two drums of one note are the stronger."""
        if isinstance(event, Classified):
            heard = [(one.class_, one.name, one.velocity) for one in self._heard(event)]
        else:
            heard = [(LEARNING, "", event.velocity)]
        out: dict[int, int] = {}
        for class_, name, velocity in heard:
            note = self._note(class_, name)
            if note is not None:
                out.setdefault(note, velocity)
        return out

    def _note(self, class_: int, name: str) -> int | None:
        """Note of a class; None for silence."""
        if (class_, name) not in self._note_of:
            self._note_of[class_, name] = self._choose(class_, name)
        return self._note_of[class_, name]

    def _choose(self, class_: int, name: str) -> int | None:
        if self._sends is Onset:
            note = given_note(LEARNING, "onset", self._given)
            return ONSET_NOTE if note is None else note
        if class_ == LEARNING:
            return given_note(class_, "learning", self._given)
        if class_ == UNKNOWN:
            return given_note(class_, UNKNOWN_NAME, self._given)
        return note_of(class_, name, self._given)

    def _measure(self, event: Onset | Classified, delay_ms: float) -> None:
        super()._measure(event, delay_ms)
        waited = 1e3 * (event.emitted - event.sample) / self._samplerate
        self._after_hit.add(self._offset_ms + waited + delay_ms)

    def _figures(self) -> dict[str, object]:
        whole = self._after_hit.percentiles()
        return super()._figures() | ({"after_hit_ms": whole} if whole else {})

    def _end_notes(self) -> None:
        """End each note when its time has come; the sink's own thread."""
        while (waiting := self._to_end.get()) is not None:
            due, note, begun = waiting
            self._over.wait(max(0.0, due - time.monotonic()))
            try:
                with self._sound:
                    if self._sounding.get(note) == begun:  # else it was struck again
                        del self._sounding[note]
                        self.port.send((_NOTE_OFF, note, _RELEASE))
            except Exception as error:
                self._failed = error  # told with the next event
                return

    def end(self, summary: dict[str, object]) -> None:
        """End all notes."""
        with self._sound:
            while self._sounding:
                note, _ = self._sounding.popitem()
                self.port.send((_NOTE_OFF, note, _RELEASE))

    def close(self) -> None:
        """End all notes, also those of a session that broke off, and close the port."""
        self._over.set()
        self._to_end.put(None)
        try:
            if self._thread.ident is not None:
                # It has ended all notes, without waiting, or has failed; or the port stands still.
                joined(self._thread, PATIENCE_S, lambda: len(self._sounding))
        finally:
            self.port.close()


def _event_of(send: str) -> type:
    if send not in SEND:
        raise SettingsError(f"Expected to send at {', '.join(SEND)}, got {send!r:.80}.")
    return SEND[send]
