"""Failures told apart by what git and its remotes really say, and the waits that follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.retry import (
    RULES,
    Backoff,
    Failure,
    Location,
    classify,
    failed,
    reason,
    secret_locations,
    wait_s,
)

GITHUB = """\
remote: error: GH013: Repository rule violations found for refs/heads/main.
remote:
remote: - GITHUB PUSH PROTECTION
remote:   \u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014
remote:     Resolve the following violations before pushing again
remote:
remote:     - Push cannot contain secrets
remote:
remote:       \u2014\u2014 Amazon AWS Access Key ID \u2014\u2014\u2014\u2014\u2014\u2014\u2014\u2014
remote:        locations:
remote:          - commit: 8728dbe67ddf3c5b5e3a9d2a1d8f7b7b0d7d1c2f
remote:            path: memory/2026-02-04.md:3
remote:          - commit: 8728dbe67ddf3c5b5e3a9d2a1d8f7b7b0d7d1c2f
remote:            path: notes/with space.md:12
remote:
To https://example.invalid/x.git
 ! [remote rejected] main -> main (push declined due to repository rule violations)
error: failed to push some refs to 'https://example.invalid/x.git'
"""
GITLAB = """\
remote: PUSH BLOCKED: Secrets detected in code changes
remote:
remote: Secret push protection found the following secrets in commit: 37c4b2e0
remote: -- test.txt:2 | GitLab Personal Access Token
remote: -- memory/a.md:7 | AWS Access Token
 ! [remote rejected] main -> main (pre-receive hook declined)
"""


@pytest.mark.parametrize(
    ("failure", "stderr"),
    [
        (Failure.SECRET, GITHUB),
        (Failure.SECRET, GITLAB),
        (
            Failure.PROTECTED,
            (
                "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
                " ! [remote rejected] main -> main (protected branch hook declined)"
            ),
        ),
        (
            Failure.PROTECTED,
            (
                "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
                " ! [remote rejected] main -> main (pre-receive hook declined)"
            ),
        ),
        (
            Failure.PROTECTED,
            (
                "remote: error: refusing to update checked out branch: refs/heads/main\n"
                " ! [remote rejected] main -> main (branch is currently checked out)"
            ),
        ),
        (Failure.PROTECTED, "remote: error: denying ref creation for refs/memgit/raw/a/main"),
        (Failure.HOOK, "remote: no commits on Fridays\n ! [remote rejected] main -> main (pre-receive hook declined)"),
        (Failure.HOOK, " ! [remote rejected] main -> main (hook declined)"),
        (Failure.REJECTED, " ! [rejected]        main -> main (fetch first)\nerror: failed to push some refs"),
        (Failure.REJECTED, " ! [rejected]        main -> main (non-fast-forward)"),
        (Failure.REJECTED, " ! [rejected] refs/x -> refs/memgit/raw/a/main (stale info)"),
        (Failure.REJECTED, " ! [remote rejected] main -> main (cannot lock ref 'x': is at 1 but expected 2)"),
        (Failure.REJECTED, " ! [remote rejected] main -> main (failed to update ref)"),
        (Failure.DISK, "remote: fatal: write error: No space left on device\nfatal: early EOF"),
        (
            Failure.DISK,
            (
                "remote: error: insufficient permission for adding an object to repository database ./objects\n"
                "remote: fatal: failed to write object\nerror: remote unpack failed: unpack-objects abnormal exit"
            ),
        ),
        (Failure.DISK, "error: unable to write file: Disk quota exceeded"),
        (Failure.DISK, "remote: fatal: pack exceeds maximum allowed size limit"),
        (
            Failure.TIMEOUT,
            (
                "fatal: unable to access 'https://example.invalid/': Operation too slow. Less than 1000 bytes/sec"
                ""
                " transferred the last 30 seconds"
            ),
        ),
        (Failure.TIMEOUT, "Timeout, server example.invalid not responding.\nfatal: early EOF"),
        (Failure.TIMEOUT, "ssh: connect to host example.invalid port 22: Operation timed out"),
        (Failure.AUTH, "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote repository."),
        (Failure.AUTH, "fatal: could not read Username for 'https://github.com': terminal prompts disabled"),
        (Failure.AUTH, "fatal: Authentication failed for 'https://example.invalid/x.git/'"),
        (
            Failure.AUTH,
            "remote: Invalid username or password.\nfatal: Authentication failed for 'https://example.invalid'",
        ),
        (Failure.AUTH, "fatal: unable to access 'https://example.invalid/': The requested URL returned error: 403"),
        (
            Failure.AUTH,
            (
                "remote: Permission to a/b.git denied to c.\nfatal: unable to access 'https://example.invalid':"
                " The requested URL returned error: 403"
            ),
        ),
        (Failure.AUTH, "Host key verification failed.\nfatal: Could not read from remote repository."),
        (Failure.AUTH, "ERROR: Repository not found.\nfatal: Could not read from remote repository."),
        (Failure.AUTH, "fatal: repository 'https://example.invalid/x.git/' not found"),
        (Failure.AUTH, "fatal: '/gone' does not appear to be a git repository\nfatal: Could not read from remote."),
        (Failure.AUTH, "fatal: remote error: access denied or repository not exported: /x.git"),
        (Failure.AUTH, "fatal: remote error: service not enabled: /x.git"),
        (Failure.NETWORK, "ssh: Could not resolve hostname example.invalid: Name or service not known"),
        (Failure.NETWORK, "fatal: unable to access 'https://x.invalid/': Could not resolve host: x.invalid"),
        (
            Failure.NETWORK,
            (
                "ssh: connect to host 127.0.0.1 port 1: Connection refused\n"
                "fatal: Could not read from remote repository."
            ),
        ),
        (Failure.NETWORK, "fatal: unable to connect to localhost:\nlocalhost[0: 127.0.0.1]: errno=Connection refused"),
        (Failure.NETWORK, "client_loop: send disconnect: Broken pipe\nfatal: the remote end hung up unexpectedly"),
        (
            Failure.NETWORK,
            (
                "error: RPC failed; curl 56 Recv failure: Connection reset by peer\n"
                "fatal: the remote end hung up unexpectedly"
            ),
        ),
        (Failure.NETWORK, "error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502"),
        (Failure.NETWORK, "fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF"),
        (Failure.NETWORK, "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output"),
        (Failure.NETWORK, "kex_exchange_identification: Connection closed by remote host"),
        (Failure.NETWORK, "fatal: unable to access 'https://example.invalid/': gnutls_handshake() failed"),
        (Failure.OTHER, "fatal: bad config line 3 in file .git/config"),
        (Failure.OTHER, ""),
    ],
)
def test_class_of_a_message(failure: Failure, stderr: str) -> None:
    assert classify(stderr) is failure


def test_a_broken_pipe_without_a_word_is_the_network() -> None:
    assert classify("", 141) is Failure.NETWORK


def test_places_that_push_protection_named() -> None:
    commit = "8728dbe67ddf3c5b5e3a9d2a1d8f7b7b0d7d1c2f"
    assert secret_locations(GITHUB) == (
        Location("memory/2026-02-04.md", 3, commit),
        Location("notes/with space.md", 12, commit),
    )
    assert secret_locations(GITLAB) == (Location("test.txt", 2, "37c4b2e0"), Location("memory/a.md", 7, "37c4b2e0"))
    assert secret_locations("remote: no commits on Fridays") == ()


def test_the_reason_is_the_line_that_says_it() -> None:
    ssh = "git@github.com: Permission denied (publickey).\nfatal: Could not read from remote.\n\nPlease make sure"
    assert reason(ssh) == "git@github.com: Permission denied (publickey)."
    assert reason("fatal: bad config line 3 in file .git/config") == "bad config line 3 in file .git/config"
    assert reason("") == "no message"


def test_every_class_has_a_rule() -> None:
    assert set(RULES) == set(Failure)


@given(st.sampled_from(Failure), st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_the_cap_and_never_beyond(failure: Failure, failures: int, dice: float) -> None:
    rule = RULES[failure]
    wait = wait_s(rule, failures, dice)
    assert 1 <= wait <= rule.cap_s
    assert wait_s(rule, failures + 1, dice) >= wait
    assert wait >= min(rule.cap_s, rule.first_s) // 2


def test_a_row_of_failures_waits_longer_and_then_needs_a_person() -> None:
    state, waits = Backoff(), []
    for _ in range(RULES[Failure.NETWORK].person_after):
        assert not state.needs_person
        state = failed(state, Failure.NETWORK, "gone", 1000, 0.0)
        waits.append(state.next_s - 1000)
    assert waits[:3] == [15, 30, 60]
    assert waits[-1] == 900
    assert state.needs_person
    assert state.since_s == 1000


def test_another_class_starts_its_own_row_but_the_outage_goes_on() -> None:
    state = failed(failed(Backoff(), Failure.NETWORK, "gone", 1000, 0.0), Failure.REJECTED, "moved", 2000, 0.0)
    assert state.failures == 1
    assert state.since_s == 1000


def test_waiting() -> None:
    state = failed(Backoff(), Failure.NETWORK, "gone", 1000, 0.0)
    assert not state.may_try(1001)
    assert state.may_try(1015)
    assert Backoff().may_try(0)


def test_a_clock_set_back_by_years_holds_nothing_up() -> None:
    state = failed(Backoff(), Failure.NETWORK, "gone", 2_000_000_000, 0.0)
    assert state.may_try(900_000_000)
