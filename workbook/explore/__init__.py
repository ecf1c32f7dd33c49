"""The explorer of notebook 10 and `make app`: find songs by a point, a drawing, or a song."""

import lazy_loader

SONGS = "describe_pieces draw_match library piece_of shifted song_points"
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"own_song": ["read_upload"], "page": ["Page"], "songs": SONGS.split()}
)
