#!/usr/bin/env python3
"""Verifies an audit export of Keydesk. Written from docs/audit-format.md only, independent of the product's code.
Exits with 0 if the export verifies, with 1 and a sentence if it does not, and with 2 on wrong usage."""
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
    need(base64.b64encode(data).decode() == text, "Base64 is not in its canonical form")
    return data

def record(text, names, what):
    """Parses a JSON object with exactly these members, in their order and in compact form."""
    found = json.loads(text)
    need(list(found) == names.split() and compact(found) + "\n" == text, f"{what} is not in its canonical form")
    return found

class Key:
    def __init__(self, name, typed):
        self.name, self.typed, self.id = name, typed, sha256(name.encode() + b"\n" + unbase64(typed))[:4]
        need(unbase64(typed)[0] == 1, "a public key is invalid")
        self.key = Ed25519PublicKey.from_public_bytes(unbase64(typed)[1:])
    def vkey(self):
        return f"{self.name}+{self.id.hex()}+{self.typed}"

    def signed(self, signature, text):
        data = unbase64(signature)
        return data[:4] == self.id and self.key.verify(data[4:], text.encode()) is None
    def checkpoint(self, note):
        text, _, signatures = note.partition("\n\n")
        (origin, size, root), start = text.split("\n")[:3], f"— {self.name} "
        lines = signatures.rstrip().split("\n")
        need(len(lines) <= 64 and all(line.startswith("— ") for line in lines), "a note is not in its form")
        own_signatures = [line[len(start):] for line in lines if line.startswith(start)]
        need(origin == self.name and str(int(size)) == size, "a checkpoint belongs to another trail")
        need(any(self.signed(signature, text + "\n") for signature in own_signatures),
             "the signature of a checkpoint is invalid")
        return int(size), unbase64(root)

def key_chain(last, changes):
    """The keys that signed a trail, the first one first, each with the number of events from which on it signs."""
    chain, trees = [(last, 0)], []
    for number, change in enumerate(changes):
        need(list(change) == ["note", "proof"] and number < 1000, "the changes of the key are not in their form")
        text = change["note"].partition("\n\n")[0].split("\n")
        need(len(text) == 4 and text[3].startswith("key-change "), "a note changes no key")
        former, following = [Key(last.name, typed) for typed in text[3].split(" ", 2)[1:]]
        if number == 0:
            chain = [(former, 0)]
        trees.append(former.checkpoint(change["note"]))
        need(following.checkpoint(change["note"]) == trees[-1], "a change of the key contradicts itself")
        need(former.vkey() == chain[-1][0].vkey() and trees[-1][0] >= chain[-1][1], "a change of the key is missing")
        need(all(following.vkey() != key.vkey() for key, _ in chain), "a key signs again")
        chain.append((following, trees[-1][0]))
    need(chain[-1][0].vkey() == last.vkey(), "the changes of the key do not lead to the public key")
    return chain, trees

def kept_checkpoint(chain, note):
    """The tree of a kept checkpoint, which any key of the chain may have signed, from its change on."""
    refusal = None
    for key, start in reversed(chain):
        try:
            tree = key.checkpoint(note)
            need(tree[0] >= start, "the key of the kept checkpoint signs only later")
            return tree
        except Exception as error:
            refusal = refusal or error
    raise refusal

def included(leaf, index, size, proof):
    """The root that a proof results in, and the root of all leaves before this one."""
    need(0 <= index < size, "an event is after the checkpoint")
    turns, root, before = [], leaf, None
    while size > 1:
        left = 1 << ((size - 1).bit_length() - 1)
        turns.insert(0, index >= left)
        index, size = (index - left, size - left) if index >= left else (index, left)
    need(len(turns) == len(proof), "a proof has the wrong length")
    for neighbour, is_left in zip(proof, turns):
        root = node(neighbour, root) if is_left else node(root, neighbour)
        if is_left:
            before = neighbour if before is None else node(neighbour, before)
    return root, before

def roots(small, large, proof, known):
    """The roots of the first leaves and of the whole tree by a proof, which is consumed from its end."""
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
    if small[0] == 0 or small[0] >= large[0]:
        return not proof and small == ((0, sha256(b"")) if small[0] == 0 else large)
    return roots(small[0], large[0], proof, small[1]) == (small[1], large[1]) and not proof

def event(leaf):
    """The fields of a leaf by name."""
    rest, fields = leaf.encode().removeprefix(b"keydesk event v1\n"), {}
    for name in LEAF.split():
        fields[name] = None
        if rest[:1] == b"+":
            length, _, rest = rest[1:].partition(b":")
            fields[name], rest = rest[:int(length)].decode(), b"-" + rest[int(length):]
        rest = rest[2:]
    written = "".join("-\n" if field is None else f"+{len(field.encode())}:{field}\n" for field in fields.values())
    need("keydesk event v1\n" + written == leaf and not rest, "a leaf is not in its canonical form")
    at = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=int(fields["at"]))
    parsed = {name: fields[name] and json.loads(fields[name]) for name in ("before", "after")}
    need(all(fields[name] in (None, compact(parsed[name])) for name in parsed), "JSON is not in its canonical form")
    return fields | parsed | {"time": at.isoformat(timespec="microseconds") + "Z", "sequence": int(fields["sequence"])}

def check(lines, key_line, note, further):
    first, digest, line, last, found = next(lines), hashlib.sha256(), "", None, 0
    has_changes = bool(json.loads(first).get("key_changes"))
    header = record(first, HEADER + " key_changes" * has_changes, "the header")
    need((header["format"], header["version"]) == ("keydesk-audit-export", 1), "this is not an audit export of version 1")
    name, _, typed = header["public_key"].split("+", 2)
    key, origin, full = Key(name, typed), header["origin"], header["full"]
    chain, changed = key_chain(key, header["key_changes"] if has_changes else [])
    need(header["public_key"] == key.vkey(), "the public key is invalid")
    need(key_line.strip() in [known.vkey() for known, _ in chain], "it was not signed with the kept public key")
    need(key.name == origin and origin.split("/")[-1] == header["company_id"], "the header contradicts itself")
    need(full is (header["filters"] == ALL), "its header says full, but it is filtered, or the reverse")
    size, root = tree = key.checkpoint(header["checkpoint"])
    for place, at in enumerate(changed):
        proof = header["key_changes"][place]["proof"]
        need(is_beginning(at, tree, proof), "the trail does not start with the events that a change of its key signs")
    kept = kept_checkpoint(chain, note) if note else tree
    need(kept == tree or kept[0] != size, "the kept checkpoint signs other events")
    is_tied, since = kept == tree or kept == (0, sha256(b"")), header["since"]
    if further and not is_tied:
        proof = record(further, "format version origin from to checkpoint proof", "the consistency proof")
        ends = [(proof[end]["size"], unbase64(proof[end]["root"])) for end in ("from", "to")]
        is_tied = proof["origin"] == origin and ends == sorted([kept, tree])
        need(is_tied and is_beginning(*ends, proof["proof"]), "the consistency proof does not match the checkpoints")
    elif since and since["size"] == kept[0] and not is_tied:
        is_tied = need(is_beginning(kept, tree, since["proof"]), "the trail starts with other events") is None
    digest.update(compact(header).encode() + b"\n")
    for line in lines:
        if line.startswith('{"end":'):
            break
        digest.update(line.encode())
        read = record(line, LINE, "a line")
        fields, place, proof = event(read["leaf"]), read["sequence"], [unbase64(hash) for hash in read["proof"]]
        reached, before = included(sha256(b"\0" + read["leaf"].encode()), place - 1, size, proof)
        need(reached == root, f"event {place} is not signed by the checkpoint")
        need(fields.pop("trail_id") == header["company_id"] and fields.pop("at"), f"event {place} belongs to another trail")
        need(all(compact(read[name]) == compact(fields[name]) for name in fields), f"line and leaf of {place} differ")
        need(last is None or place < last, f"event {place} is out of order")
        need(not full or place == size - found, f"event {size - found} is missing")
        need(place != kept[0] + 1 or kept[0] == 0 or before == kept[1], "the trail starts with other events")
        is_tied, last, found = is_tied or place == kept[0] + 1, place, found + 1
    end = record(line, "end events signature", "the end")
    need(end["end"] is True and found == end["events"] == header["events"], "the number of events is wrong")
    text = f"keydesk audit export v1\n{origin}\n{found}\n{base64.b64encode(digest.digest()).decode()}\n"
    need(key.signed(end["signature"], text) and next(lines, None) is None, "it was changed after the export")
    need(is_tied, "it is not connected with the kept checkpoint")
    return f"{found} of {size} events, as recorded"

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
