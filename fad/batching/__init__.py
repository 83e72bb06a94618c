"""Batching: the vmap level and the generic batching rule."""

from fad.batching.batch import BatchLevel, BatchTensor

__all__ = ["BatchLevel", "BatchTensor"]
