"""Slurm and Ray with two nodes each on this machine, for tests."""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

HAS_SLURM = all(shutil.which(name) for name in ("slurmctld", "slurmd", "munged", "sbatch")) and os.getuid() == 0
HAS_RAY = find_spec("ray") is not None
_SLURM = """ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
AccountingStorageType=accounting_storage/none
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=1000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=1000
PartitionName=main Nodes=n[1-2] Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def slurm(folder: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """What the command of a sweep finds in its environment, and what it says on its line."""
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    configuration.write_text(_SLURM.format(host=socket.gethostname().split(".")[0], folder=folder, ports=_free_ports()))
    environment = {"SLURM_CONF": str(configuration)}
    whole = {**os.environ, **environment}
    try:
        _munge(folder)
        subprocess.run(["slurmctld"], env=whole, check=True)
        for node in ("n1", "n2"):
            subprocess.run(["slurmd", "-N", node], env=whole, check=True)
        while b"idle" not in subprocess.run(["sinfo", "-h"], env=whole, stdout=subprocess.PIPE, check=False).stdout:
            time.sleep(0.2)
        yield environment, ["hydra/launcher=slurm", "hydra.launcher.minutes=10"]
    finally:
        for pid in [int(file.read_text()) for file in folder.glob("*.pid")]:
            _end(pid)


def _end(pid: int) -> None:
    """Of a daemon, which is no child of ours."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        while True:
            os.kill(pid, 0)
            time.sleep(0.05)


def _munge(folder: Path) -> None:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    files = {"key-file": key, "socket": "munge.socket", "pid-file": "munge.pid", "log-file": "munge.log"}
    own = [f"--{name}={folder / file}" for name, file in {**files, "seed-file": "munge.seed"}.items()]
    subprocess.run(["munged", "--force", *own], check=True, capture_output=True)


@contextmanager
def ray(folder: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """As `slurm`. Its two nodes are stopped by the processes that this has started."""
    (port,) = _free_ports(1)
    address = f"{socket.gethostbyname(socket.gethostname())}:{port}"
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_USAGE_STATS_ENABLED": "0"}
    whole = {**os.environ, **environment, "RAY_worker_niceness": "0"}  # else 15: other tests leave it no processor
    command = [str(Path(sys.executable).parent / "ray"), "start", "--block", "--num-cpus=1"]
    head = ["--head", f"--port={port}", f"--node-ip-address={address.split(':')[0]}", "--include-dashboard=false"]
    nodes: list[subprocess.Popen[bytes]] = []
    try:
        for own in ([*head, f"--temp-dir={folder}"], [f"--address={address}"]):
            with (folder / f"node{len(nodes)}.log").open("wb") as log:
                nodes.append(subprocess.Popen([*command, *own], env=whole, stdout=log, stderr=log))
            while b"started" not in (folder / f"node{len(nodes) - 1}.log").read_bytes():
                assert nodes[-1].poll() is None
                time.sleep(0.1)
        yield environment, ["hydra/launcher=ray", f"hydra.launcher.address={address}"]
    finally:
        for node in reversed(nodes):
            node.terminate()
            node.wait()


def _free_ports(count: int = 3) -> list[int]:
    taken = [socket.create_server(("", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in taken]
    for server in taken:
        server.close()
    return ports
