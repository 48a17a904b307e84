"""memgit backup over ssh: a real sshd, a real rsync on both ends, and nothing of memgit on the other side."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.repo import memgit, memgit_program
from support.shared import needs
from support.sshd import Sshd, started
from support.vault import Vault, tree


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with started(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def server(sshd: Sshd) -> Sshd:
    sshd.allow()
    return sshd


def remote(place: Path, server: Sshd, extra: str = "") -> Vault:
    vault = Vault(place, name="far", where=f'host = "{server.login}:{place}/target"', extra=server.settings() + extra)
    vault.fill()
    return vault


def test_snapshots_on_another_machine_share_what_did_not_change(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    vault.backup()
    assert tree(vault.snapshots()[0] / "files") == vault.memory()
    vault.write("MEMORY.md", "second\n")
    (vault.path / "memory/2026-02-04.md").unlink()
    report = vault.backup()
    assert (report["copied"], report["linked"]) == (["MEMORY.md"], 6)
    first, second = vault.snapshots()
    assert tree(second / "files") == vault.memory()
    assert (first / "files/memory/2026-02-03.md").stat().st_ino == (second / "files/memory/2026-02-03.md").stat().st_ino
    assert vault.backup()["is_new"] is False


def test_a_mirror_on_another_machine_follows_deletions(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server, 'mode = "mirror"\nbwlimit = "50MiB"\noptions = ["--checksum"]\n')
    vault.backup()
    (vault.path / "memory/2026-02-04.md").unlink()
    vault.write("memory/new.md", "new\n")
    report = vault.backup()
    assert (report["copied"], report["deleted"]) == (["memory/new.md"], ["memory/2026-02-04.md"])
    assert tree(vault.target / "current/files") == vault.memory()


def test_a_distant_backup_is_listed_verified_restored_and_pruned(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server, "keep = { daily = 1 }\n")
    for round_ in range(3):
        vault.write("MEMORY.md", f"round {round_}\n")
        vault.backup()
    listed = vault.memgit("backup", "list", "--json").json["generations"]
    assert [item["state"] for item in listed] == ["complete"] * 3
    assert vault.memgit("backup", "verify").status == 0
    assert vault.memgit("backup", "verify", "--sample", "2").status == 0
    assert vault.memgit("backup", "drill").status == 0
    vault.memgit("backup", "restore", "--from", f"far/{vault.snapshots()[0].name}", "--to", str(tmp_path / "out"))
    assert (tmp_path / "out/MEMORY.md").read_text() == "round 0\n"
    assert tree(tmp_path / "out/memory") == tree(vault.path / "memory")
    gone = vault.memgit("backup", "prune", "--json").json["gone"]
    assert gone == [listed[0]["name"]]
    assert len(vault.snapshots()) == 2
    assert vault.memgit("backup", "verify").status == 0


def test_damage_on_the_other_machine_is_found(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    vault.backup()
    files = vault.snapshots()[0] / "files"
    (files / "MEMORY.md").write_text("# Memory\n- a lie\n")
    (files / "memory/2026-02-04.md").unlink()
    (files / "memory/extra.md").write_text("extra\n")
    found = vault.memgit("backup", "verify", "--json", ok=1).json["problems"]
    assert {item["path"]: item["what"] for item in found} == {
        "MEMORY.md": "content",
        "memory/2026-02-04.md": "missing",
        "memory/extra.md": "extra",
    }
    assert vault.backup()["is_new"] is True
    assert vault.memgit("backup", "verify").status == 0


def test_an_interrupted_transfer_is_never_taken_for_complete_and_goes_on(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    vault.backup()
    first = vault.snapshots()[0].name
    # A second transfer that got as far as the files, as after a broken connection.
    vault.write("memory/large.md", b"0123456789abcdef" * 20_000)
    vault.backup()
    second = vault.snapshots()[1]
    (second / "complete").unlink()
    (second / "files/memory/large.md").unlink()
    state = vault.path / ".git/memgit/backup/far/state.json"
    state.write_text(state.read_text().replace('"target"', f'"partial": "{second.name}", "target"'))
    listed = vault.memgit("backup", "list", "--json").json["generations"]
    assert [item["state"] for item in listed] == ["complete", "interrupted"]
    vault.memgit("backup", "restore", "--from", f"far/{second.name}", "--to", str(tmp_path / "out"), ok=2)
    report = vault.backup()
    assert report["generation"] == second.name
    assert report["notes"] == [f"resumed {second.name}"]
    assert [path.name for path in vault.snapshots()] == [first, second.name]
    assert vault.memgit("backup", "verify").status == 0


def test_a_transfer_killed_half_way_resumes(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server, 'bwlimit = "1MiB"\n')
    vault.write("memory/large.md", os.urandom(400_000).hex())
    vault.configure((vault.path / ".git/memgit/config.toml").read_text() + "include_held = true\n")
    child = subprocess.Popen((memgit_program(), "backup", "run"), cwd=vault.path, stderr=subprocess.DEVNULL)
    partial: list[Path] = []
    while not partial and child.poll() is None:
        partial = [path for path in vault.target.glob("2*/files/memory/.*large*") if path.stat().st_size > 60_000]
    child.terminate()
    child.wait()
    assert partial, "the transfer ended before it could be stopped"
    assert not list(vault.target.glob("2*/complete"))
    vault.configure((vault.path / ".git/memgit/config.toml").read_text().replace('bwlimit = "1MiB"\n', ""))
    report = vault.backup()
    assert len(vault.snapshots()) == 1, "it went on in the same directory"
    assert report["notes"] == [f"resumed {vault.snapshots()[0].name}"]
    assert tree(vault.snapshots()[0] / "files") == vault.memory()


def test_a_connection_that_is_refused_will_be_tried_again(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    text = (vault.path / ".git/memgit/config.toml").read_text()
    vault.configure(text.replace(f"port = {server.port}", "port = 1"))
    done = vault.memgit("backup", "run", ok=7)
    assert "Connection refused" in done.err


def test_a_key_that_is_refused_is_no_network_trouble(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    server.authorized.write_text("")
    done = vault.memgit("backup", "run", ok=1)
    assert "ssh was refused" in done.err


def test_a_place_on_the_other_machine_that_can_not_be_made_is_named(tmp_path: Path, server: Sshd) -> None:
    vault = remote(tmp_path, server)
    text = (vault.path / ".git/memgit/config.toml").read_text()
    vault.configure(text.replace(f"{tmp_path}/target", f"{tmp_path}/no/such/directory"))
    done = vault.memgit("backup", "run", ok=1)
    assert "rsync status 11" in done.err
    assert not (tmp_path / "no").exists()


def test_the_key_of_setup_ssh_can_do_all_that_backup_does_and_nothing_else(tmp_path: Path, server: Sshd) -> None:
    """The sample's forced command served only daemon-style paths, so its own examples would have failed."""
    needs("rrsync")
    vault = remote(tmp_path, server)
    vault.target.mkdir()
    (tmp_path / "outside").write_text("outside\n")
    setup = vault.memgit("backup", "setup-ssh", "--json").json
    assert setup["has_key"] is True
    assert setup["forced_command"] == f"rrsync {vault.target}"
    server.allow(setup["authorized_keys"])
    config = "\n".join(setup["config"]) + "\nkeep = { daily = 1 }\n"
    assert f'host = "{server.login}:/"' in config
    vault.configure(config)

    for round_ in range(3):
        vault.write("MEMORY.md", f"round {round_}\n")
        vault.backup()
    first, second, third = vault.snapshots()
    assert (second / "files/memory/2026-02-03.md").stat().st_ino == (third / "files/memory/2026-02-03.md").stat().st_ino
    assert vault.memgit("backup", "verify").status == 0
    assert vault.memgit("backup", "drill").status == 0
    listed = vault.memgit("backup", "list", "--json").json["generations"]
    assert [item["name"] for item in listed] == [first.name, second.name, third.name], "and nothing that rrsync left"
    assert vault.memgit("backup", "prune", "--json").json["gone"] == [first.name]

    for command in ("id", "cat /etc/passwd", "sh", "rsync --server --daemon .", ""):
        refused = server.ssh(*command.split())
        assert refused.returncode != 0
        assert b"uid=" not in refused.stdout
        assert b"root:" not in refused.stdout
    shell = (
        f"ssh -F none -i {server.key} -oIdentitiesOnly=yes -oUserKnownHostsFile={server.known_hosts} -p {server.port}"
    )
    for path in ("../outside", "/../outside", f"{tmp_path}/outside"):
        subprocess.run(
            ("rsync", "-a", "-e", shell, f"{server.login}:{path}", str(tmp_path / "stolen")),
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert not (tmp_path / "stolen").exists(), path
    (tmp_path / "evil").write_text("evil\n")
    for path in ("../outside", f"{tmp_path}/outside"):
        subprocess.run(
            ("rsync", "-a", "-e", shell, str(tmp_path / "evil"), f"{server.login}:{path}"),
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert (tmp_path / "outside").read_text() == "outside\n", path
    sftp = subprocess.run(
        ("sftp", *shell.replace("-p ", "-P ").split()[1:], "-b", "-", server.login),
        input=b"ls /\n", capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert sftp.returncode != 0


def test_setup_ssh_asks_for_the_whole_path_where_it_can_not_know_it(tmp_path: Path) -> None:
    vault = Vault(tmp_path, name="far", where='host = "me@host:backup"')
    assert "--directory" in vault.memgit("backup", "setup-ssh", ok=2).err
    shown = vault.memgit("backup", "setup-ssh", "--directory", "/home/me/backup").out
    assert 'command="rrsync /home/me/backup",restrict <the one line of ~/.ssh/memgit-backup-far.pub>' in shown
    assert vault.memgit("backup", "setup-ssh", "--directory", '/a"b', ok=2).status == 2


def refusals(server: Sshd, commands: list[str], place: Path) -> dict[str, tuple[int, bytes]]:
    """What the commands that setup-ssh prints as a test do here; ssh is only told where this server is known."""
    place.mkdir(exist_ok=True)
    found = {}
    for command in commands:
        line = command.replace("ssh -i", "ssh -F none -i")
        line = line.replace("localhost:22", f"127.0.0.1:{server.port}")
        done = subprocess.run(
            ("sh", "-c", line), cwd=place, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
        found[command] = (done.returncode, done.stdout)
    return found


@pytest.mark.parametrize("extra", ["", "write_only = true\n"])
def test_the_printed_proof_tells_a_key_that_can_do_more_from_one_that_can_not(
    tmp_path: Path, server: Sshd, extra: str
) -> None:
    needs("rrsync")
    vault = remote(tmp_path, server, extra)
    vault.target.mkdir()
    setup = vault.memgit("backup", "setup-ssh", "--json").json
    *refused, works = setup["tests"]
    assert len(refused) == (5 if extra else 4)
    as_anybody = refusals(server, [item for item in refused if "/../" not in item], tmp_path / "here")
    assert {status for status, _ in as_anybody.values()} == {0}, "with all rights each of them works"
    server.allow(setup["authorized_keys"])
    for command, (status, out) in refusals(server, refused, tmp_path / "here").items():
        assert status != 0, command
        assert out == b"", command
    assert not list((tmp_path / "here").iterdir())
    vault.configure("\n".join(setup["config"]) + "\n")
    assert vault.memgit(*works.split()[1:]).status == 0


def write_only(place: Path, server: Sshd) -> Vault:
    needs("rrsync")
    vault = remote(place, server, "write_only = true\n")
    vault.target.mkdir()
    setup = vault.memgit("backup", "setup-ssh", "--json").json
    assert setup["forced_command"] == f"rrsync -wo -no-del -no-overwrite {vault.target}"
    server.allow(setup["authorized_keys"])
    vault.configure("\n".join(setup["config"]) + "\n")
    return vault


def test_a_key_that_may_only_add_makes_snapshots_that_share_and_can_be_proven_elsewhere(
    tmp_path: Path, server: Sshd
) -> None:
    vault = write_only(tmp_path, server)
    vault.backup()
    vault.write("MEMORY.md", "second\n")
    (vault.path / "memory/2026-02-04.md").unlink()
    report = vault.backup()
    assert (report["copied"], report["linked"], report["notes"]) == (["MEMORY.md"], 6, [])
    assert vault.backup()["is_new"] is False
    first, second = vault.snapshots()
    assert tree(second / "files") == vault.memory()
    assert (first / "files/memory/2026-02-03.md").stat().st_ino == (second / "files/memory/2026-02-03.md").stat().st_ino
    for command in (("list",), ("verify",), ("drill",), ("prune",), ("restore", "--from", "far", "--to", "/x")):
        assert "can only be written" in vault.memgit("backup", *command, ok=1).err
    server.allow()
    there = tmp_path / "there"
    there.mkdir()
    memgit(there, "init", "--yes", "--hooks", "none", "--from-backup", str(vault.target))
    assert {path: held for path, held in tree(there).items() if path in vault.memory()} == vault.memory()
    assert memgit(there, "backup", "verify").status == 0


def test_a_key_that_may_only_add_can_neither_read_change_nor_delete_a_backup(tmp_path: Path, server: Sshd) -> None:
    vault = write_only(tmp_path, server)
    vault.backup()
    held = tree(vault.target)
    name = vault.snapshots()[0].name
    shell = (
        f"ssh -F none -i {server.key} -oIdentitiesOnly=yes -oUserKnownHostsFile={server.known_hosts} -p {server.port}"
    )
    evil = tmp_path / "evil"
    (evil / "files").mkdir(parents=True)
    (evil / "files/MEMORY.md").write_text("forged\n")
    (evil / "manifest").write_text("forged\n")
    for args in (
        ("-a", f"{evil}/", f"{server.login}:/{name}/"),
        ("-a", "--inplace", f"{evil}/", f"{server.login}:/{name}/"),
        ("-a", "--append", f"{evil}/", f"{server.login}:/{name}/"),
        ("-a", "--delete", f"{evil}/", f"{server.login}:/{name}/"),
        ("-a", "--remove-source-files", f"{server.login}:/{name}/", f"{tmp_path}/stolen/"),
        ("-a", f"{server.login}:/{name}/", f"{tmp_path}/stolen/"),
        ("--list-only", f"{server.login}:/{name}/"),
    ):
        done = subprocess.run(("rsync", "-e", shell, *args), capture_output=True, timeout=60, check=False)
        assert b"MEMORY" not in done.stdout, args
    assert tree(vault.target) == held
    assert not list((tmp_path / "stolen").glob("*"))


def test_a_place_that_may_not_be_read_is_known_again_and_a_wrong_one_is_refused(tmp_path: Path, server: Sshd) -> None:
    vault = write_only(tmp_path, server)
    vault.backup()
    marker = vault.target / "memgit-target"
    marker.rename(tmp_path / "aside")
    vault.write("MEMORY.md", "second\n")
    assert "Is the disk mounted?" in vault.memgit("backup", "run", ok=1).err
    (tmp_path / "aside").rename(marker)
    vault.backup()
    other = Vault(tmp_path / "other", name="far")
    other.fill()
    other.configure((vault.path / ".git/memgit/config.toml").read_text())
    assert "may not read whose" in other.memgit("backup", "run", ok=1).err
    assert len(vault.snapshots()) == 2


def test_what_an_interrupted_run_added_need_not_travel_again(tmp_path: Path, server: Sshd) -> None:
    vault = write_only(tmp_path, server)
    vault.write("memory/large.md", b"0123456789abcdef" * 20_000)
    vault.backup()
    first = vault.snapshots()[0]
    record = vault.path / ".git/memgit/backup/far/sent" / first.name
    (first / "complete").unlink()  # as if the connection had broken before the last file
    for file in record.iterdir():
        file.unlink()
    vault.write("MEMORY.md", "second\n")
    vault.backup()
    second = vault.snapshots()[1]
    assert tree(second / "files") == vault.memory()
    assert (second / "files/memory/large.md").stat().st_ino == (first / "files/memory/large.md").stat().st_ino
    assert not record.exists()


@pytest.mark.parametrize("where", ['path = "/media/x"', 'rclone = "drive:x"', 'host = "me@host:/x"\nmode = "mirror"'])
def test_only_snapshots_on_another_machine_can_be_write_only(tmp_path: Path, where: str) -> None:
    vault = Vault(tmp_path, name="far", where=where, extra="write_only = true\n")
    assert "can't be write_only" in vault.memgit("backup", "run", ok=2).err
