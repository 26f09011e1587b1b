"""Word, Excel and PowerPoint files (Office Open XML), in the process of the inspector: a ZIP archive of XML parts.

Only the archive and the XML itself are read, in small pieces and with nothing kept, so that size costs no memory.
"""

import io
import stat
import struct
import zipfile
from typing import BinaryIO
from xml.parsers import expat

from conversations.files.kinds import KINDS, Kind
from conversations.files.problems import Unfit
from conversations.files.sandbox import UNREADABLE
from conversations.files.sniffing import HEAD, OLD_OFFICE, ZIP, sniff

MAX_MEMBERS = 10_000
MAX_DIRECTORY = 4_000_000  # bytes
MAX_UNPACKED = 300_000_000
MAX_RATIO = 100  # unpacked to packed, above a megabyte; real tables reach some 30
_CHUNK = 65_536
_TYPES = "[Content_Types].xml"
_END = struct.Struct("<4s4H2LH")  # APPNOTE.TXT, 4.3.16: the end of central directory record
_BOMB = "unpacks to far more than it seems to hold, so it was not opened."
_ODD = "is not packed as Office packs its documents. Save it anew and attach that."


def inspect(file: BinaryIO, kind: Kind) -> None:
    """Raise Unfit unless it is a whole, unprotected document of this kind, without entities in its XML."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    found = sniff(file.read(HEAD))
    if found == OLD_OFFICE:
        raise Unfit("is protected by a password or in an old format. Save it without one, in the present format.")
    if found != ZIP:
        raise Unfit(f"is named like {kind.label} but holds {found or 'something else'}. Give it its right extension.")
    _check_end(file, size)
    with zipfile.ZipFile(file) as archive:
        _check_members(archive, size)
        _check_type(archive, kind)
        for member in archive.infolist():
            _read_through(archive, member)


def _check_end(file: BinaryIO, size: int) -> None:
    """Judge the size of the directory before it is read, and have the archive end where the file ends."""
    file.seek(max(0, size - _END.size))
    record = file.read()
    if len(record) < _END.size or not record.startswith(b"PK\x05\x06"):
        raise Unfit(UNREADABLE)
    *_, members, length, offset, _comment = _END.unpack(record)
    if members > MAX_MEMBERS or length > MAX_DIRECTORY:
        raise Unfit(_BOMB)
    if offset + length + _END.size != size:
        raise Unfit(_ODD)


def _check_members(archive: zipfile.ZipFile, size: int) -> None:
    """Judge what the directory says: how many parts, how large, how they are named. Nothing is unpacked here."""
    members = archive.infolist()
    names = {member.filename for member in members}
    unpacked = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED or _is_inflated(unpacked, size):
        raise Unfit(_BOMB)
    for member in members:
        if _is_inflated(member.file_size, member.compress_size):
            raise Unfit(_BOMB)
        if member.flag_bits & 1:
            raise Unfit("is protected by a password. Save it without one and attach that.")
        parts = member.filename.split("/")
        if (
            stat.S_ISLNK(member.external_attr >> 16)
            or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            or ".." in parts
            or not parts[0]
            or "\\" in member.filename
        ):
            raise Unfit(_ODD)
    if len(names) != len(members) or min(member.header_offset for member in members) != 0:
        raise Unfit(_ODD)


def _is_inflated(unpacked: int, packed: int) -> bool:
    return unpacked > 1_000_000 and unpacked > MAX_RATIO * packed


def _check_type(archive: zipfile.ZipFile, kind: Kind) -> None:
    """Have the document's own list of contents name a main part of this kind, and that part be there."""
    if _TYPES not in archive.NameToInfo:
        raise Unfit(f"is named like {kind.label} but holds {ZIP}. Give it its right extension.")
    types: dict[str, str] = {}

    def note(name: str, attributes: dict[str, str]) -> None:
        if name in ("Override", "Default"):
            types[attributes.get("PartName", "")] = attributes.get("ContentType", "")

    parser = new_parser()
    parser.StartElementHandler = note
    with archive.open(_TYPES) as part:
        parser.Parse(part.read(MAX_DIRECTORY), True)
    if any("macroEnabled" in value for value in types.values()):
        raise Unfit("holds macros. Save it without them and attach that.")
    mains = {f"{other.content_type}.main+xml": other for other in KINDS.values() if other.category == "office"}
    for name, value in types.items():
        other = mains.get(value)
        if other == kind and (not name or name.removeprefix("/") in archive.NameToInfo):
            return
        if other not in (None, kind):
            raise Unfit(f"is named like {kind.label} but holds {other.label}. Give it its right extension.")
    raise Unfit(UNREADABLE)


def _read_through(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Unpack a part to its end, which proves its checksum, and parse it where it is XML."""
    is_xml = member.filename.endswith((".xml", ".rels")) and member.file_size > 0
    parser = new_parser() if is_xml else None
    with archive.open(member) as part:
        while chunk := part.read(_CHUNK):
            if parser:
                parser.Parse(chunk, False)
    if parser:
        parser.Parse(b"", True)


def new_parser(*, namespace_separator: str | None = None) -> expat.XMLParserType:
    """Return a parser that refuses any document type: no part needs one, and entities come from nowhere else."""
    parser = expat.ParserCreate(namespace_separator=namespace_separator)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    raise Unfit("holds XML that could reach for other files, so it was not opened.")
