"""Words that carry no topic: they neither tell entries apart nor say what a message is about."""

from agent import normalizing

_WRITTEN = """
    сайн байна уу үү юу юм бэ вэ ве та бид би чи миний танай надад энэ тэр нь чинь минь маань гэж гэсэн гээд
    гэхэд гэх бол байх байгаа болох хийх яах яаж хэрхэн ямар хаана хэд хэдэн л ч биш тэгээд одоо өгөөч өгнө
    уучлаарай мэнд өдрийн оройн бн бна бнуу бну гсн юмаа ym yum ve we uu bn bna bnu gsn
"""

FUNCTION_WORDS = frozenset(normalizing.skeletons(_WRITTEN))
"""Skeletons of Mongolian function words, in the spellings of books and of phones."""
