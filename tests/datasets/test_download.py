"""Downloads from a local server: whole, cut, wrong, hostile, repeated and offline."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from songnet.datasets.download import Archive, download, load_archives
from songnet.datasets.fma import load_fma
from songnet.datasets.gtzan import GTZAN_GENRES
from songnet.exceptions import DatasetError
from tests.datasets.fma_files import fma_row, write_clips, write_tracks_csv
from tests.datasets.server import FileServer, serve

CLIPS = {f"000/00000{n}.mp3": bytes([n]) * 60_000 for n in range(2, 6)}


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serve(FileServer()) as running:
        yield running


def zip_of(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_BZIP2) as archive:  # as FMA's are
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def fma_zip(clips: dict[str, bytes] = CLIPS, *, damage: str = "") -> bytes:
    lines = [f"{hashlib.sha1(data).hexdigest()}  {name}\n" for name, data in clips.items()]
    files = {"fma_small/checksums": "".join(lines).encode()}
    files |= {f"fma_small/{name}": data for name, data in clips.items()}
    if damage:
        files[f"fma_small/{damage}"] = b"other"
    return zip_of(files)


def archive_of(server: FileServer, data: bytes, **changes: object) -> Archive:
    server.files["/fma_small.zip"] = data
    archive = Archive(
        name="fma-small",
        file="fma_small.zip",
        urls=(f"{server.url}/fma_small.zip",),
        known_hash=f"sha1:{hashlib.sha1(data).hexdigest()}",
        folder="fma_small",
        size_gib=0.001,
        unpacked_gib=0.001,
    )
    return replace(archive, **changes)


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_a_whole_download_is_unpacked_checked_and_not_repeated(
    server: FileServer, tmp_path: Path
) -> None:
    archive = archive_of(server, fma_zip())
    seen: list[tuple[str, int, int]] = []
    assert download(archive, tmp_path, progress=lambda *state: seen.append(state))
    assert names(tmp_path) == ["fma_small"]
    assert {n: (tmp_path / "fma_small" / n).read_bytes() for n in CLIPS} == CLIPS
    whats = list(dict.fromkeys(what for what, *_ in seen))
    assert whats == ["fma_small.zip (MB)", "Unpacking (MB)", "Checking files"]
    assert seen[-1][1:] == (4, 4)
    n_requests = len(server.ranges)
    assert not download(archive, tmp_path)
    assert len(server.ranges) == n_requests


def test_the_archive_is_kept_if_asked(server: FileServer, tmp_path: Path) -> None:
    assert download(archive_of(server, fma_zip()), tmp_path, keep_archive=True)
    assert names(tmp_path) == ["fma_small", "fma_small.zip"]


def test_something_else_in_its_place_keeps_the_archive(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "fma_small").write_text("not a folder")
    with pytest.raises(DatasetError, match=r"cannot be put into .*fma_small \(Not a directory\)"):
        download(archive_of(server, fma_zip()), tmp_path)
    assert names(tmp_path) == ["fma_small", "fma_small.zip"]


def test_a_cut_connection_goes_on_by_range(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip({"000/000002.mp3": os.urandom(300_000)}))
    server.cuts = [100_000, 150_000]
    assert download(archive, tmp_path)
    assert server.ranges == [None, "bytes=65536-", "bytes=196608-"]


def test_a_server_that_stays_away_leaves_the_part_for_the_next_run(
    server: FileServer, tmp_path: Path
) -> None:
    archive = archive_of(server, fma_zip({"000/000002.mp3": os.urandom(300_000)}))
    server.cuts = [100_000, 0]
    with pytest.raises(DatasetError, match=r"127\.0\.0\.1 cannot be reached.*what was fetched"):
        download(archive, tmp_path)
    assert names(tmp_path) == ["fma_small.zip.part"]
    assert (tmp_path / "fma_small.zip.part").stat().st_size == 65_536
    assert download(archive, tmp_path)
    assert server.ranges[-1] == "bytes=65536-"


def test_a_server_without_ranges_starts_again(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip())
    server.knows_ranges = False
    (tmp_path / "fma_small.zip.part").write_bytes(b"x" * 50)
    assert download(archive, tmp_path)


@pytest.mark.parametrize("extra", [0, 5])
def test_a_part_that_is_whole_or_too_long(server: FileServer, tmp_path: Path, extra: int) -> None:
    data = fma_zip()
    (tmp_path / "fma_small.zip.part").write_bytes(data + b"x" * extra)
    assert download(archive_of(server, data), tmp_path)


def test_a_wrong_checksum_is_refused_and_deleted(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip(), known_hash=f"sha1:{'0' * 40}")
    with pytest.raises(DatasetError, match="does not match the published checksum"):
        download(archive, tmp_path)
    assert names(tmp_path) == []


def test_a_wrong_file_inside_is_refused(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip(damage="000/000003.mp3"))
    with pytest.raises(DatasetError, match=r"1 of 4 files .* \(000/000003\.mp3\)"):
        download(archive, tmp_path)
    assert not (tmp_path / "fma_small").exists()


def test_a_folder_unpacked_by_hand_is_checked(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip())
    assert download(archive, tmp_path)
    by_hand = tmp_path / "hand"
    shutil.copytree(tmp_path / "fma_small", by_hand / "fma_small")
    (by_hand / "fma_small" / ".songnet-complete").unlink()
    assert not download(archive, by_hand)
    (by_hand / "fma_small" / "000" / "000002.mp3").unlink()
    with pytest.raises(DatasetError, match="missing or changed"):
        download(archive, by_hand)
    (by_hand / "fma_small" / "checksums").unlink()
    with pytest.raises(DatasetError, match="no list of checksums"):
        download(archive, by_hand)


def test_too_little_space_is_said_before_anything_is_fetched(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**30))
    archive = archive_of(server, fma_zip(), size_gib=7.2, unpacked_gib=7.5)
    with pytest.raises(DatasetError, match=r"needs about 14\.7 GiB .* 1\.0 GiB are free"):
        download(archive, tmp_path)
    assert server.ranges == []


def test_offline_is_one_clear_sentence(tmp_path: Path) -> None:
    with serve(FileServer()) as stopped:
        archive = archive_of(stopped, fma_zip())
    with pytest.raises(DatasetError) as raised:
        download(archive, tmp_path)
    assert str(raised.value) == (
        "fma_small.zip could not be fetched: 127.0.0.1 cannot be reached. Check the connection "
        "and try again; what was fetched is kept."
    )


def test_the_next_address_is_tried(server: FileServer, tmp_path: Path) -> None:
    archive = archive_of(server, fma_zip())
    both = replace(archive, urls=(f"{server.url}/gone.zip", *archive.urls))
    assert download(both, tmp_path)
    with pytest.raises(DatasetError, match=r"127\.0\.0\.1 answers 404"):
        download(replace(archive, urls=both.urls[:1]), tmp_path / "other")


def test_an_answer_of_another_size_is_refused(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="not what was asked for"):
        download(archive_of(server, fma_zip(), size_gib=1e-7), tmp_path)


def gtzan_tar(**extra: tarfile.TarInfo) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for genre in GTZAN_GENRES:
            info = tarfile.TarInfo(f"genres/{genre}/{genre}.00000.au")
            info.size = 100
            tar.addfile(info, io.BytesIO(b"x" * 100))
        for info in extra.values():
            tar.addfile(info, io.BytesIO(b"x" * info.size))
    return data.getvalue()


def test_gtzan_from_its_archive_and_from_kaggle_by_token(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tar = archive_of(server, gtzan_tar(), name="gtzan", file="genres.tar.gz", folder="gtzan")
    assert download(tar, tmp_path)
    assert (tmp_path / "gtzan" / "genres" / "jazz" / "jazz.00000.au").is_file()
    server.password = "me:secret"
    kaggle = replace(tar, name="gtzan-kaggle", known_hash=None)
    monkeypatch.delenv("KAGGLE_USERNAME", raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "config"))
    with pytest.raises(DatasetError, match="Kaggle wants a token"):
        download(kaggle, tmp_path / "kaggle")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "kaggle.json").write_text('{"username": "me", "key": "wrong"}')
    with pytest.raises(DatasetError, match="answers 401"):
        download(kaggle, tmp_path / "kaggle")
    (tmp_path / "config" / "kaggle.json").write_text('{"username": "me", "key": "secret"}')
    assert download(kaggle, tmp_path / "kaggle")


def hostile_zip(kind: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "link":
            info = zipfile.ZipInfo("fma_small/link")
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
        elif kind == "bomb":
            archive.writestr("fma_small/zeros", bytes(5 * 2**20))
        else:
            archive.writestr(kind, b"outside")
    return data.getvalue()


@pytest.mark.parametrize(
    "kind",
    [
        *("../outside", "/tmp/outside", "fma_small/../../outside", "C:/outside", "..\\outside"),
        *("link", "bomb"),
    ],
)
def test_a_hostile_zip_writes_nothing_outside(
    server: FileServer, tmp_path: Path, kind: str
) -> None:
    root = tmp_path / "root"
    archive = archive_of(server, hostile_zip(kind), unpacked_gib=0.001)
    with pytest.raises(DatasetError, match="not trusted"):
        download(archive, root)
    assert names(root) == ["fma_small.zip"]
    assert names(tmp_path) == ["root"]


def hostile_member(kind: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("genres/x")
    if kind in {"symlink", "hard link", "device"}:
        kinds = {
            "symlink": tarfile.SYMTYPE,
            "hard link": tarfile.LNKTYPE,
            "device": tarfile.CHRTYPE,
        }
        info.type, info.linkname = kinds[kind], "../../outside"
    elif kind == "bomb":
        info.size = 5 * 2**20
    else:
        info.name, info.size = kind, 10
    return info


@pytest.mark.parametrize(
    "kind", ["../outside", "/outside", "a/../../b", "symlink", "hard link", "device", "bomb"]
)
def test_a_hostile_tar_writes_nothing_outside(
    server: FileServer, tmp_path: Path, kind: str
) -> None:
    data = gtzan_tar(last=hostile_member(kind))
    archive = archive_of(server, data, name="gtzan", file="genres.tar.gz", folder="gtzan")
    with pytest.raises(DatasetError, match="not trusted"):
        download(archive, tmp_path / "root")
    assert names(tmp_path / "root") == ["genres.tar.gz"]
    assert names(tmp_path) == ["root"]


@pytest.mark.parametrize("data", [b"", b"no archive", fma_zip()[:-200], gtzan_tar()[:300]])
def test_a_damaged_archive_is_refused(server: FileServer, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DatasetError, match=r"cannot be unpacked|could not be fetched|not whole"):
        download(archive_of(server, data, known_hash=None), tmp_path)
    assert not (tmp_path / "fma_small").exists()


def test_a_list_of_checksums_cannot_point_outside(server: FileServer, tmp_path: Path) -> None:
    line = f"{'0' * 40}  ../../etc/passwd\n".encode()
    archive = archive_of(server, zip_of({"fma_small/checksums": line}))
    with pytest.raises(DatasetError, match="a path below the folder"):
        download(archive, tmp_path)


def test_fma_from_the_server_to_the_loader(server: FileServer, tmp_path: Path) -> None:
    write_clips(tmp_path / "made", (2, 3))
    clips = tmp_path / "made" / "000"
    archive = archive_of(
        server, fma_zip({f"000/{path.name}": path.read_bytes() for path in clips.iterdir()})
    )
    root = tmp_path / "data"
    assert download(archive, root)
    write_tracks_csv(root / "fma_metadata", {i: fma_row(i) for i in (2, 3)})
    assert [t.track_id for t in load_fma(root, subset="small")] == ["000002", "000003"]


def test_the_registry_names_official_addresses_and_checksums() -> None:
    archives = load_archives()
    assert set(archives) == {
        *(f"fma-{part}" for part in ("metadata", "small", "medium", "large", "full")),
        *("gtzan", "gtzan-kaggle"),
    }
    for name, archive in archives.items():
        assert all(url.startswith(("https://", "http://opihi.cs.uvic.ca/")) for url in archive.urls)
        if name.startswith("fma"):
            assert archive.urls == (f"https://os.unil.cloud.switch.ch/fma/{archive.file}",)
            assert re.fullmatch(r"sha1:[0-9a-f]{40}", archive.known_hash)
