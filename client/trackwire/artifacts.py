"""Reads of artifacts, at the place where MLflow has them."""

from trackwire.queries.artifacts import download_artifacts, list_artifacts, load_dict, load_image, load_text

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]
