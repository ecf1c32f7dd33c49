"""The explorer: hear songs, point at an emotion, draw its course, bring a song of your own.

Notebook 10 and the page of `make app` share what stands here.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "figures": ["draw_match", "draw_spread"],
        "own_song": ["read_upload", "teachers"],
        "page": ["Page"],
        "songs": ["describe_pieces", "library", "piece_of", "shifted", "song_points"],
    },
)
