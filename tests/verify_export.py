#!/usr/bin/env python3
"""Checks an audit export of Keydesk; written from docs/audit-format.md alone, as a second opinion beside the product's.
Exits with 0 if all is as it should be, with 1 and a sentence if it is not, and with 2 on wrong usage."""
import argparse, base64, datetime, hashlib, json, sys
try:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    sys.exit("Python has no package cryptography. Run: apt-get install python3-cryptography")

HEADER = "format version origin company_id company_name exported_at filters events full checkpoint public_key since"
ALL = {"from": None, "until": None, "user": None, "actions": [], "key": None}
LINE = ("sequence event_id time action actor_type actor_id actor_name key_id key_preview target_type target_id "
        "target_name reason comment client_address user_agent request_id before after leaf proof")
LEAF = ("trail_id sequence event_id at action actor_type actor_id key_id target_type target_id before after reason "
        "comment client_address user_agent request_id")

def need(condition, sentence):
    if not condition:
        raise ValueError(sentence)
def sha256(data):
    return hashlib.sha256(data).digest()
def node(left, right):
    return sha256(b"\x01" + left + right)
def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
def unbase64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "Base64 is not written as it should be")
    return data

def record(text, names, what):
    """A JSON object with exactly these members, written in the one way that there is."""
    found = json.loads(text)
    need(list(found) == names.split() and compact(found) + "\n" == text, f"{what} is written in another way")
    return found

class Key:
    def __init__(self, vkey):
        self.name, key_id, typed = vkey.strip().split("+", 2)
        self.id = sha256(self.name.encode() + b"\n" + unbase64(typed))[:4]
        need(unbase64(typed)[0] == 1 and key_id == self.id.hex(), "the public key is none")
        self.key = Ed25519PublicKey.from_public_bytes(unbase64(typed)[1:])

    def made(self, signature, text):
        data = unbase64(signature)
        return data[:4] == self.id and self.key.verify(data[4:], text.encode()) is None
    def checkpoint(self, note):
        text, _, signatures = note.partition("\n\n")
        (origin, size, root), start = text.split("\n")[:3], f"— {self.name} "
        signed = [line[len(start):] for line in signatures.split("\n") if line.startswith(start)]
        need(origin == self.name and str(int(size)) == size, "a checkpoint belongs to another trail")
        need(any(self.made(signature, text + "\n") for signature in signed), "a checkpoint's signature does not fit")
        return int(size), unbase64(root)

def included(leaf, index, size, proof):
    """The root that a proof leads to, and the root of all leaves before this one."""
    need(0 <= index < size, "an event is beyond the checkpoint")
    ways, root, before = [], leaf, None
    while size > 1:
        left = 1 << ((size - 1).bit_length() - 1)
        ways.insert(0, index >= left)
        index, size = (index - left, size - left) if index >= left else (index, left)
    need(len(ways) == len(proof), "a proof is longer or shorter than the way to the root")
    for neighbour, is_left in zip(proof, ways):
        root = node(neighbour, root) if is_left else node(root, neighbour)
        if is_left:
            before = neighbour if before is None else node(neighbour, before)
    return root, before

def roots(small, large, proof, known):
    """The roots of a tree's beginning and of the tree as a proof has them, which is used up from its end."""
    if small == large:
        return (known or proof.pop(),) * 2
    left, other = 1 << ((large - 1).bit_length() - 1), proof.pop()
    if small <= left:
        old, new = roots(small, left, proof, known)
        return old, node(new, other)
    old, new = roots(small - left, large - left, proof, None)
    return node(other, old), node(other, new)

def is_beginning(small, large, proof):
    proof = [unbase64(hash) for hash in proof]
    return roots(small[0], large[0], proof, small[1]) == (small[1], large[1]) and not proof

def event(leaf):
    """The fields of a leaf, by name."""
    rest, fields = leaf.encode().removeprefix(b"keydesk event v1\n"), {}
    for name in LEAF.split():
        fields[name] = None
        if rest[:1] == b"+":
            length, _, rest = rest[1:].partition(b":")
            fields[name], rest = rest[:int(length)].decode(), b"-" + rest[int(length):]
        rest = rest[2:]
    written = "".join("-\n" if field is None else f"+{len(field.encode())}:{field}\n" for field in fields.values())
    need("keydesk event v1\n" + written == leaf and not rest, "a leaf is not in the form of one")
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=int(fields["at"]))
    parsed = {name: fields[name] and json.loads(fields[name]) for name in ("before", "after")}
    need(all(fields[name] in (None, compact(parsed[name])) for name in parsed), "JSON is written in another way")
    return fields | parsed | {"time": at.isoformat(timespec="microseconds") + "Z", "sequence": int(fields["sequence"])}

def check(lines, key_line, note, further):
    header, digest, line, last, found = record(next(lines), HEADER, "the header"), hashlib.sha256(), "", None, 0
    need((header["format"], header["version"]) == ("keydesk-audit-export", 1), "this is no audit export, version 1")
    need(header["public_key"] == key_line.strip(), "it was not made under the public key that was kept")
    key, origin, full = Key(key_line), header["origin"], header["full"]
    need(key.name == origin and origin.split("/")[-1] == header["company_id"], "the header contradicts itself")
    need(full is (header["filters"] == ALL), "it is both full and filtered, or neither")
    size, root = tree = key.checkpoint(header["checkpoint"])
    kept = key.checkpoint(note) if note else tree
    need(kept == tree or kept[0] != size, "the checkpoint that was kept signs other events")
    is_tied, since = kept == tree or kept == (0, sha256(b"")), header["since"]
    if further and not is_tied:
        proof = record(further, "format version origin from to checkpoint proof", "the proof of consistency")
        ends = [(proof[end]["size"], unbase64(proof[end]["root"])) for end in ("from", "to")]
        is_tied = proof["origin"] == origin and ends == sorted([kept, tree])
        need(is_tied and is_beginning(*ends, proof["proof"]), "the proof of consistency does not connect it")
    elif since and since["size"] == kept[0] and not is_tied:
        is_tied = need(is_beginning(kept, tree, since["proof"]), "the trail begins otherwise") is None
    digest.update(compact(header).encode() + b"\n")
    for line in lines:
        if line.startswith('{"end":'):
            break
        digest.update(line.encode())
        read = record(line, LINE, "a line")
        fields, place, proof = event(read["leaf"]), read["sequence"], [unbase64(hash) for hash in read["proof"]]
        reached, before = included(sha256(b"\0" + read["leaf"].encode()), place - 1, size, proof)
        need(reached == root, f"event {place} is not what the checkpoint signs")
        need(fields.pop("trail_id") == header["company_id"] and fields.pop("at"), f"event {place} is of another trail")
        need(all(compact(read[name]) == compact(fields[name]) for name in fields), f"line and leaf of {place} differ")
        need(last is None or place < last, f"event {place} is out of order")
        need(not full or place == size - found, f"event {size - found} is missing")
        need(place != kept[0] + 1 or kept[0] == 0 or before == kept[1], "the trail begins otherwise")
        is_tied, last, found = is_tied or place == kept[0] + 1, place, found + 1
    end = record(line, "end events signature", "the end")
    need(end["end"] is True and found == end["events"] == header["events"], "the number of events does not fit")
    text = f"keydesk audit export v1\n{origin}\n{found}\n{base64.b64encode(digest.digest()).decode()}\n"
    need(key.made(end["signature"], text) and next(lines, None) is None, "it is not as it was exported")
    need(is_tied, "nothing connects it with the checkpoint that was kept")
    return f"{found} of {size} events, as they were recorded"

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("export")
for name in ("--public-key", "--checkpoint", "--consistency"):
    arguments.add_argument(name, required=name == "--public-key", type=lambda path: open(path, encoding="utf-8").read())
given = arguments.parse_args()
try:
    lines = open(given.export, encoding="utf-8", newline="\n")
    print(check(lines, given.public_key, given.checkpoint, given.consistency))
except Exception as error:
    sys.exit(f"The export does not verify: {error or type(error).__name__}.")
