"""Text to a searchable snapshot to ranked passages.

The heavy parts (torch, faiss, scikit-learn) are imported by the functions that need them, so importing this package
costs nothing.
"""
