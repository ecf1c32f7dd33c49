"""The explorer of notebook 10 and `make app`: find songs by a point, a drawing, or a song."""

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
