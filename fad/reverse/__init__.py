"""Reverse mode: the tape and the engine."""

from fad.reverse.engine import Engine, ExecInfo, GraphTask, InputBuffer, ReadyQueue
from fad.reverse.node import Edge, InputMetadata, Node, SavedTensor
from fad.reverse.tape import TapeLevel, TapeTensor
from fad.reverse.trace import Tape, trace

__all__ = [
    "Edge", "Engine", "ExecInfo", "GraphTask", "InputBuffer", "InputMetadata", "Node", "ReadyQueue",
    "SavedTensor", "Tape", "TapeLevel", "TapeTensor", "trace",
]  # fmt: skip
