"""The faults. Each returns, for every node, the moment from which it must answer within a few seconds."""

import signal
import sys
import time

from databases import PromotionWatch, wait_until

# Longer than a node may take to come back. A quick run may be on a busy machine.
OBSERVED = 20 if "--quick" in sys.argv else 8
# Longer than a server may take to give up a silent connection.
CUT_OFF = 20
PROMOTION = 60


def after_promotion(fleet, old, break_primary):
    """Breaks the primary. Returns when that began, and for each node when another one was promoted."""
    watch = PromotionWatch(fleet.databases, old)
    begun = time.monotonic()
    break_primary()
    promoted = watch.wait(PROMOTION)
    return begun, dict.fromkeys(fleet.nodes, promoted)


def observe(fleet, since):
    """Looks on for a while. Of two servers, the new primary commits nothing until the old one is its standby."""
    if len(fleet.databases.machines) == 2:
        wait_until(fleet.databases.has_standby, PROMOTION, "the old primary is no standby")
        since = dict.fromkeys(since, time.monotonic())
    time.sleep(OBSERVED)
    return since


def kill(fleet):
    """Every process of the primary's machine is killed."""
    old = fleet.databases.primary
    begun, since = after_promotion(fleet, old, lambda: old.send_signal(signal.SIGKILL))
    time.sleep(OBSERVED)
    fleet.databases.start_patroni(old)
    return begun, observe(fleet, since)


def stop(fleet):
    """PostgreSQL is stopped without a checkpoint, under Patroni."""
    old = fleet.databases.primary
    begun, since = after_promotion(fleet, old, lambda: fleet.databases.stop_at_once(old))
    return begun, observe(fleet, since)


def freeze(fleet):
    """Every process of the primary's machine is frozen, and resumed after the promotion."""
    old = fleet.databases.primary
    begun, since = after_promotion(fleet, old, lambda: old.send_signal(signal.SIGSTOP))
    time.sleep(3)
    old.send_signal(signal.SIGCONT)
    return begun, observe(fleet, since)


def freeze_machine(fleet):
    """The same, and the network of the machine is frozen, too."""
    old = fleet.databases.primary

    def freeze_all():
        for machine in fleet.network.machines:
            if machine is not old:
                fleet.network.cut(old, machine)
        old.send_signal(signal.SIGSTOP)

    begun, since = after_promotion(fleet, old, freeze_all)
    time.sleep(3)
    fleet.network.heal()
    old.send_signal(signal.SIGCONT)
    return begun, observe(fleet, since)


def freeze_patroni(fleet):
    """Patroni alone is frozen, without a watchdog: the old primary lives on."""
    old = fleet.databases.primary
    result = after_promotion(fleet, old, lambda: old.send_signal(signal.SIGSTOP, "/usr/bin/patroni"))
    time.sleep(OBSERVED)
    old.send_signal(signal.SIGCONT)
    time.sleep(3)
    return result


def outlast_cut(fleet, since, isolated):
    """Waits until a server has given up its silent connections, and heals the network. A node that reached only the old
    primary must not say that it is ready meanwhile."""
    time.sleep(CUT_OFF)
    if isolated:
        fleet.load.expect_not_ready(isolated)
    fleet.network.heal()
    if isolated:
        since[isolated] = time.monotonic()


def partition(fleet, is_alone=True):
    """The primary is cut off from etcd, the standbys and all nodes but the first, which reaches nothing else."""
    old, first = fleet.databases.primary, fleet.nodes[0]
    others = [each for each in fleet.databases.machines if each is not old]

    def cut():
        for machine in [*fleet.databases.dcs, *others, *(node.machine for node in fleet.nodes[1:])]:
            fleet.network.cut(old, machine)
        for machine in others if is_alone else []:
            fleet.network.cut(first.machine, machine)

    begun, since = after_promotion(fleet, old, cut)
    outlast_cut(fleet, since, first if is_alone else None)
    return begun, observe(fleet, since)


def partition_with_a_way_out(fleet):
    """The same, but the first node reaches the standbys as well."""
    return partition(fleet, is_alone=False)


def hang_standby(fleet):
    """The synchronous standby is frozen for a while."""
    databases, primary = fleet.databases, fleet.databases.primary
    hung = databases.sync_standby(primary)
    begun = time.monotonic()
    hung.send_signal(signal.SIGSTOP)
    if len(databases.machines) == 2:
        time.sleep(OBSERVED)
        hung.send_signal(signal.SIGCONT)
        wait_until(lambda: databases.sync_standby(primary), PROMOTION, "the standby does not replicate")
    else:
        wait_until(lambda: databases.sync_standby(primary) not in (None, hung), PROMOTION, "no other standby is synchronous")
    since = time.monotonic()
    time.sleep(OBSERVED)
    hung.send_signal(signal.SIGCONT)
    return begun, dict.fromkeys(fleet.nodes, since)


def unfenced(fleet, is_alone=True):
    """Without Patroni: the standby is promoted, the old primary lives on, and the first node reaches nothing else."""
    databases, old, first = fleet.databases, fleet.databases.primary, fleet.nodes[0]
    standby = databases.sync_standby(old)
    (other,) = [each for each in databases.machines if each not in (old, standby)]
    begun = time.monotonic()
    # A standby that is ahead of the new primary could not follow it.
    fleet.network.cut(old, other)
    time.sleep(0.2)
    for machine in [standby, *(node.machine for node in fleet.nodes[1:])]:
        fleet.network.cut(old, machine)
    for machine in [standby, other] if is_alone else []:
        fleet.network.cut(first.machine, machine)
    since = dict.fromkeys(fleet.nodes, databases.promote(standby, other))
    outlast_cut(fleet, since, first if is_alone else None)
    # The old primary is in reach of every node again.
    time.sleep(OBSERVED)
    databases.rebuild(old)
    return begun, since


def unfenced_with_a_way_out(fleet):
    """The same, but the first node reaches the new primary as well."""
    return unfenced(fleet, is_alone=False)


TWO = [kill, freeze, stop, hang_standby, partition, freeze_machine, partition_with_a_way_out]
THREE = [
    *[kill, freeze, partition, stop, hang_standby, freeze_machine, freeze_patroni, partition_with_a_way_out],
    *[kill, freeze, partition, stop, hang_standby, freeze_machine, freeze_patroni, kill, freeze],
]
STREAMING = [unfenced, unfenced_with_a_way_out, unfenced, unfenced_with_a_way_out, unfenced, unfenced_with_a_way_out]

# Each kind of fleet with its rounds: 30 in all.
ALL = [("unfenced", STREAMING), ("two", TWO), ("three", THREE)]
QUICK = [("unfenced", [unfenced]), ("three", [stop, freeze])]
