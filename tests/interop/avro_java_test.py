#!/usr/bin/python3
"""avro_java_test.py -- Avro's Java library and lib/schema say the same of schemas, byte for byte: which texts are
schemas, why the others are not, their texts in each form, and what keeps one from reading what another wrote.  So does
Confluent's of their normal form.

    avro_java_test.py [ROUNDS [SEED]]       ROUNDS: schemas by chance

The schemas: those of ../corpus/avro; some by chance (../unit/schema/random_schema.c); and both of these again with
one thing changed anywhere in their JSON, so that most have a mistake, or spelled in another way that is JSON, or what
Jackson takes for it, or neither.  Pairs are a schema and a changed one of it.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../e2e"))

from claims import Skip, finish, run
from kafka_jars import HERE, JAVA, fetch

CORPUS = os.path.join(HERE, "../corpus/avro")
SHOWN = 20  # differences of a test
PART = 2500  # schemas by chance at a time

# What stands in a schema, or should not.
SCALARS = [None, True, False, 0, 1, -1, 12, 2147483647, 2147483648, 9223372036854775807, 9223372036854775808,
           -9223372036854775809, 10**30, "1.0", "0.10", "1e3", "1E-7", "1e400", "-0.0", "123456789.0", "3.4e38", "0.1"]
STRINGS = ["", " ", "a", "x y", "1x", "ä", "a.b", ".a", "a.", "a..b", "int", "record", "null", "string", "NaN",
           "Infinity", "-Infinity", "1.5", "\u0000", "\u007f", "\u2028", "\U0001F600", "\\\"/", "A" * 300]
TYPES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map",
         "fixed", "error", "union", "request"]
KEYS = ["type", "name", "namespace", "doc", "fields", "items", "values", "symbols", "size", "aliases", "default", "order",
        "logicalType", "precision", "scale", "props", "java-class", "x", "ä"]
LOGICAL = ["decimal", "big-decimal", "uuid", "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros",
           "timestamp-nanos", "local-timestamp-millis", "duration", "unheard-of"]


KINDS = ["NAME_MISMATCH", "FIXED_SIZE_MISMATCH", "MISSING_ENUM_SYMBOLS", "READER_FIELD_MISSING_DEFAULT_VALUE",
         "TYPE_MISMATCH", "MISSING_UNION_BRANCH"]


# Between tokens: what says nothing, or should not be there.
BLANKS = [" ", "\n", "\r", "\t", "\r\n", "  \t", "/**/", "/* a */", "// a\n", "//\r", "/***/", "/* // \" { */", "// /* \"\n",
          "/* ä\u2028\U0001F600\u007f */", "/*\t\n\r*/", "// \ta\n"]
STRAY = ["/", "/*", "/*/", "//", "/* \u0001 */", "// \v\n", "/ /", "*/", "# a\n", "<!-- -->", "\ufeff", "\u00a0", "\u2028", "\u0085", "\0",
         "\u0001", "\v", "\f", "\u001e", "\u001f", "\u007f", ",", ":", "[", "]", "{", "}", "\"", "'", "\\", "a", "1", "null", "NaN", "-", "=", ";"]
AT_THE_END = [" ", "\n", "\0", "\u0001\u001f", "\v ", "x", " x ", "// a", "/* a */", "/*", "/", "#", "}", "]", "{}", "\"int\"", ",", "\ufeff", "\u00a0",
              "\u007f", "ä"]
SPELLINGS = ["0", "-0", "-0.0", "0.0", "00", "01", "-01", "+1", ".5", "1.", "-.5", "1e", "1e+", "1E5", "1e-5", "1.0e+5", "1.50", "1e400", "-1e400", "1e-400",
             "NaN", "-NaN", "Infinity", "-Infinity", "+Infinity", "INF", "-INF", "0x10", "1_000", "1,5", "1f", "1L", "- 1", "--1", "1e5.5", "1e0005",
             "12345678901234567890", "-9223372036854775809", "123456789012345678901234567890.5", "9" * 1000, "9" * 1001, "-" + "9" * 1000,
             "0." + "3" * 1000, "0." + "3" * 1001, "-1." + "3" * 999, "1." + "3" * 1000, "1e+" + "0" * 999, "true", "True", "nul", "null", "undefined"]
IN_STRINGS = ["\\u0061", "\\u00E4", "\\u00e4", "\\/", "/", "\\b\\f\\n\\r\\t", "\\\"", "\\\\", "\\u0000", "\\u001f", "\\u2028", "\\ud83d\\ude00", "\u007f", "\u0085",
              "\u2028", "'", "/*", "//", "#", "\\", "\\x", "\\'", "\\a", "\\v", "\\0", "\\U0041", "\\u12", "\\u12g4", "\\u{61}", "\\\n", "\n", "\t", "\0", "\u0001", "\u001f"]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[-+.\w]+|\s+|.', re.S)


class Number(str):
    """A number as it is spelled."""


def loads(text):
    return json.loads(text, parse_int=Number, parse_float=Number)


def dumps(value):
    """JSON, with numbers as they were spelled."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(name) + ":" + dumps(v) for name, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(dumps, value)) + "]"
    return json.dumps(value)


def places(value):
    """All (container, key) of a JSON value."""
    found = []
    left = [value]
    while left:
        container = left.pop()
        keys = container.keys() if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], (dict, list)):
                left.append(container[key])
    return found


class Changer:
    """Changes schemas by chance."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def _scalar(self):
        pick = self.chance.choice
        value = pick(pick([SCALARS, STRINGS, TYPES, LOGICAL]))
        if isinstance(value, str) and value in SCALARS or isinstance(value, int) and not isinstance(value, bool):
            return Number(value)
        return value

    def _value(self):
        kind = self.chance.randrange(10)
        if kind < 6:
            return self._scalar()
        if kind < 8:
            return [self._scalar() for _ in range(self.chance.randrange(4))]
        return {self.chance.choice(KEYS): self._scalar() for _ in range(self.chance.randrange(4))}

    def change(self, text):
        """The text of a schema that differs from it in one place, where something else stands, or nothing."""
        tree = [loads(text)]
        self._change_at(tree, *self.chance.choice(places(tree)))
        return dumps(tree[0])

    def _change_at(self, tree, container, key):
        kind = self.chance.randrange(8)
        old = container[key]
        if kind == 0 and container is not tree:
            del container[key]
        elif kind == 1:
            container[key] = loads(dumps(self.chance.choice([c[k] for c, k in places(tree)])))
        elif kind in (2, 3) and isinstance(old, dict):
            old[self.chance.choice(KEYS)] = self._value()
        elif kind in (2, 3) and isinstance(old, list):
            old.insert(self.chance.randint(0, len(old)), loads(dumps(self.chance.choice(old))) if old and kind == 2
                       else self._value())
        elif kind == 4 and isinstance(old, str) and not isinstance(old, Number):
            container[key] = self.chance.choice(TYPES)
        elif kind == 5 and isinstance(container, dict):
            value = container.pop(key)
            container[self.chance.choice(KEYS)] = value
        elif kind == 6 and isinstance(old, list):
            self.chance.shuffle(old)
        elif kind == 7 and isinstance(old, (str, dict)):
            container[key] = self.chance.choice([["null", old], [old, "null"], {"type": "array", "items": old},
                                                 {"type": old, "logicalType": self.chance.choice(LOGICAL)}])
        else:
            container[key] = self._value()

    def respell(self, text):
        """The text of a schema with some of its tokens spelled in another way, which may be wrong."""
        tokens = TOKEN.findall(text)
        for _ in range(self.chance.choice([1, 1, 2, 4])):
            self._respell_at(tokens, self.chance.randrange(len(tokens)))
        return "".join(tokens)

    def _respell_at(self, tokens, at):
        kind = self.chance.randrange(16)
        pick = self.chance.choice
        old = tokens[at]
        if kind < 5:
            tokens[at] = pick(BLANKS) + old
        elif kind == 5:
            tokens[at] = pick(STRAY) + old
        elif kind == 6:
            tokens[-1] += pick(AT_THE_END)
        elif kind == 7:
            tokens[0] = pick(["\ufeff", *BLANKS]) + tokens[0]
        elif kind == 8 and self.chance.randrange(4) == 0:
            del tokens[at + 1:]
        elif kind == 9:
            tokens[at] = pick(["", old * 2])
        elif kind == 10:
            self._say_twice(tokens, at)
        elif len(old) > 1 and old[0] == '"':
            self._respell_string(tokens, at)
        elif re.match(r"[-\d]", old):
            tokens[at] = pick(SPELLINGS)

    def _respell_string(self, tokens, at):
        kind = self.chance.randrange(8)
        inside = tokens[at][1:-1]
        place = self.chance.randint(0, len(inside))
        if kind < 4 and inside and "\\" not in inside:
            place = self.chance.randrange(len(inside))
            if inside[place] <= "\uffff":
                escape = self.chance.choice(["\\u%04x", "\\u%04X"]) % ord(inside[place])
                tokens[at] = f'"{inside[:place]}{escape}{inside[place + 1:]}"'
        elif kind == 4:
            tokens[at] = self.chance.choice(["'" + inside + "'", inside, '"' + inside, inside + '"', f'"{inside}"'])
        elif "\\" not in inside:
            tokens[at] = f'"{inside[:place]}{self.chance.choice(IN_STRINGS)}{inside[place:]}"'

    def _say_twice(self, tokens, at):
        """Puts a member before one that has the same name, perhaps."""
        names = [i for i, token in enumerate(tokens) if token.startswith('"') and tokens[i + 1:i + 2] == [":"]]
        if names:
            name = tokens[min(names, key=lambda i: abs(i - at))]
            at = self.chance.choice(names)
            tokens[at] = f"{name}:{dumps(self._value())},{tokens[at]}"

    def evolve(self, text):
        """The same with a change that people make: of types, names, symbols, defaults, fields, branches."""
        tree = [loads(text)]
        for _ in range(self.chance.choice([1, 1, 2])):
            found = [(c, k) for c, k in places(tree) if self._is_type(c, k)]
            self._evolve_at(*self.chance.choice(found))
        return dumps(tree[0])

    @staticmethod
    def _is_type(container, key):
        return not isinstance(container, dict) or key in ("type", "items", "values", "name", "symbols", "fields", "size",
                                                          "default", "namespace")

    def _evolve_at(self, container, key):
        old = container[key]
        pick = self.chance.choice
        if isinstance(old, list):
            if old and pick([True, False]):
                old.remove(pick(old))
            else:
                self.chance.shuffle(old)
        elif isinstance(old, Number):
            container[key] = Number(pick([1, 2, 16]))
        elif key == "name" and isinstance(old, str):
            container[key] = old + "_new"
            if pick([True, False]):
                container["aliases"] = [pick(["", str(container.get("namespace", "a")) + "."]) + old]
        elif isinstance(old, dict) and isinstance(old.get("name"), str) and "type" in old:
            old.pop("default", None)
            if pick([True, False]):
                old["name"] += "2"
        elif key == "default":
            del container[key]
        else:
            container[key] = pick([old, "int", "long", "double", "string", "bytes", ["null", old], [old, "string"],
                                   ["int", old]])


def apart(text, chance):
    """The text of a schema less that of one type which it defines inside, and that; None where it defines none."""
    tree = [loads(text)]
    found = []

    def look(value, container, key, space):
        is_named = isinstance(value, dict) and isinstance(value.get("name"), str)
        if is_named and value.get("type") in ("record", "enum", "fixed", "error"):
            space = value.get("namespace", space)
            if container is not tree:
                found.append((value, container, key, space))
        for inside in value.keys() if isinstance(value, dict) else range(len(value)):
            if isinstance(value[inside], (dict, list)):
                look(value[inside], value, inside, space)

    look(tree, None, None, "")
    if not found:
        return None
    value, container, key, space = chance.choice(found)
    container[key] = f"{space}.{value['name']}" if space else value["name"]
    return dumps(tree[0]), dumps({**value, "namespace": space})


def corpus():
    found = []
    for folder, _, files in os.walk(CORPUS):
        for name in files:
            if name.endswith(".avsc"):
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    found.append(f.read())
    return sorted(found)


def decimals(chance):
    """Decimals, real and so called, whose properties stand in any order."""
    for kind in ['"type":"bytes"', '"type":"fixed","name":"F","size":4', '"type":"string"']:
        for precision in [None, "4", "0", "20", '"4"', "4.0", "4e0", "null", "2147483648"]:
            for scale in [None, "0", "-0", "2", "5", "-1", '"0"', "0.0", "null", "[0]"]:
                parts = [kind, '"logicalType":"decimal"', '"a":{"z":1,"y":2}', '"x":1']
                parts += [f'"{name}":{v}' for name, v in (("precision", precision), ("scale", scale)) if v]
                chance.shuffle(parts)
                yield "{" + ",".join(parts) + "}"


class Answers:
    """What both made of all questions, by the name under which they were asked."""

    def __init__(self, classes, confluents):
        self._ours = [os.path.join(os.environ.get("builddir", "."), "tests/interop/avro_answers")]
        self._java = [*JAVA, "-Xss16m", "-cp", classes, os.path.join(HERE, "AvroJava.java")]
        self._normal = [*JAVA, "-Xss16m", "-cp", confluents, os.path.join(HERE, "AvroNormal.java")]
        self._questions = []
        self._names = []
        self._both = {}

    def random_texts(self, n, seed):
        questions = [json.dumps({"seed": seed * n + i}) for i in range(n)]
        return [json.loads(line)["text"] for line in self._run([self._ours], questions)[0]]

    def ask(self, name, **question):
        self._names.append(name)
        self._questions.append(json.dumps(question))

    @staticmethod
    def _run(programs, questions):
        """The lines that each of the programs answers."""
        with tempfile.TemporaryFile() as asked:
            asked.write("".join(q + "\n" for q in questions).encode())
            running = []
            for program in programs:
                given = os.open(f"/proc/self/fd/{asked.fileno()}", os.O_RDONLY)
                asked.flush()
                running.append(subprocess.Popen(program, stdin=given, stdout=subprocess.PIPE))
                os.close(given)
            lines = [p.communicate()[0].decode().split("\n")[:-1] for p in running]
        for program, process, said in zip(programs, running, lines):
            if process.returncode != 0 or len(said) != len(questions):
                raise AssertionError(f"{program[0]} ended with {process.returncode}, having answered {len(said)} of "
                                     f"{len(questions)}; the next question: {questions[len(said):len(said) + 1]}")
        return lines

    def get(self):
        answers = self._run([self._ours, self._java, self._normal], self._questions)
        for name, question, *lines in zip(self._names, self._questions, *answers):
            question, ours, java, normal = map(json.loads, (question, *lines))
            if question.get("normal"):
                self._both.setdefault("normal", []).append((question, {"normal": ours.pop("normal", None)}, normal))
            self._both.setdefault(name, []).append((question, ours, java))

    def of(self, name):
        return self._both[name]


def differences(answers, differ):
    """Fails where one of the answers differs, and shows some."""
    found = [(q, ours, java) for q, ours, java in answers if differ(q, ours, java)]
    for question, ours, java in found[:SHOWN]:
        for what, value in {"asked": question, "ours": ours, "Java": java}.items():
            print(f"  {what:5} {json.dumps(value)[:3000]}")
    if found:
        raise AssertionError(f"{len(found)} of {len(answers)} differ")


# What ours are refused for before anything else is looked at.
OURS_FIRST = ("Schemas may not be named after primitives: ", "Undefined name: ", "Can't redefine: ")

# What Java tells in other ways, or after other mistakes: it looks once more, at the end, for names that it does not know,
# and until then a type that contains itself is neither equal to another nor does it have fields.
JAVAS_OWN = ("Undefined schema: ", "Schema fields not set yet", "Can't redefine: ")


def same_error(ours, java):
    """Whether both refuse for the same reason, as far as they can be expected to."""
    ours, java, kind = ours["error"], java["error"], None if java["json"] else java["class"]
    # Java's parser of JSON has words of its own, and some mistakes have nobody's.
    if kind in (None, "NullPointerException", "ClassCastException"):
        return True
    if ours.startswith(OURS_FIRST) or "\" is not a defined name. The type of" in ours:
        return True
    if java.startswith(JAVAS_OWN) or "UnresolvedSchema_" in java:
        return True
    if ours.startswith("No enum constant ") and java.startswith("No enum constant "):
        return True
    # Ours has an end, and no place for a 0.
    if ours in (java.partition("\0")[0], java.replace("\0", ""), re.sub("\0\\w*", "", java)):
        return True
    return len(ours.encode()) >= 508 and java.startswith(ours)


def definitions(question, name):
    """All that is defined by this name; nothing where a text is JSON to Java alone."""
    texts = [question["text"], *question.get("refs", [])] if "text" in question else [question["reader"], question["writer"]]
    try:
        values = [container[key] for container, key in places([json.loads(text) for text in texts])]
    except ValueError:
        return []
    return [value for value in values if isinstance(value, dict) and str(value.get("name")).endswith(name)]


def is_stricter(question, java):
    """Whether Java refuses something that its earlier versions took, or fails at it: we take it."""
    # A type without a namespace is not found from inside of one that has one, until it ends.
    name = re.fullmatch(r"Undefined schema: [\w.]+\.(\w+)", java["error"])
    if name:
        return name[1] in str(question)
    # What is defined again is not the same where it uses what is not complete yet.
    name = re.fullmatch(r"Can't redefine: (?:.*\.)?(\w+)", java["error"])
    if name:
        defined = definitions(question, name[1])
        return all(other == defined[0] for other in defined)
    # A default of a type that is defined further on is compared with a makeshift.
    if "UnresolvedSchema_" in java["error"]:
        return True
    # Numbers that no Java type holds are no value of a property, and so much fits in no array.
    return (java["error"].startswith(("Can't set a property to null: ", "Cannot read arrays longer than "))
            or java["class"] == "NullPointerException")


def is_told_by_halves(question, ours):
    """Whether Java, which reads long texts piece by piece, knows nothing of what stands behind the piece where a schema ends."""
    return len(question["text"]) > 32768 and ours.get("error", "").startswith("dangling content ")


def differs(question, ours, java):
    if "error" not in java:
        return ours != java
    if "error" in ours:
        if same_error(ours, java):
            return False
        # What follows a schema is told of once that is taken.
        if not ours["error"].startswith("dangling content "):
            return True
    return not is_stricter(question, java)


def is_laxer(_question, _ours, java):
    """Whether Java refuses names in what we were told has been accepted before."""
    return java.get("error", "").startswith(
        ("Namespace part ", "Illegal character in: ", "Illegal initial character: ", "Empty name"))


def compared_differ(_, ours, java):
    # We call less equal: documentation and aliases count.
    if ours.get("equal") is False:
        java.pop("equal", None)
        del ours["equal"]
    return differs(_, ours, java)


def test_corpus(answers):
    differences(answers.of("corpus"), differs)


def test_schemas_by_chance(answers):
    differences(answers.of("chance"), differs)


def test_decimals(answers):
    differences(answers.of("decimals"), differs)


def test_normal_forms(answers):
    differences(answers.of("normal"), lambda _, ours, java: ours != java)


def test_mistakes(answers):
    found = answers.of("mistakes")
    differences(found, differs)
    errors = sum("error" in ours for _, ours, _ in found)
    assert len(found) / 4 < errors < len(found) * 3 / 4, f"{errors} of {len(found)} were refused"


def test_spellings(answers):
    found = answers.of("spellings")
    differences(found, lambda question, ours, java: differs(question, ours, java) and not is_told_by_halves(question, ours))
    errors = sum("error" in ours for _, ours, _ in found)
    assert len(found) / 4 < errors < len(found) * 3 / 4, f"{errors} of {len(found)} were refused"
    dangling = sum(ours.get("error", "").startswith("dangling content ") for _, ours, _ in found)
    assert dangling > len(found) / 200 - 1, f"{dangling} of {len(found)} were told to go on behind their end"


def test_what_was_accepted_before(answers):
    differences(answers.of("stored"), lambda *of: differs(*of) and not is_laxer(*of))


def test_references(answers):
    differences(answers.of("references"), differs)


def test_pairs(answers):
    found = answers.of("pairs")
    differences(found, compared_differ)
    for kind in KINDS:
        told = sum(any(conflict[0] == kind for conflict in ours.get("conflicts", [])) for _, ours, _ in found)
        assert told > len(found) / 2000 - 1, f"{told} of {len(found)} were told of {kind}"


def ask_all(answers, rounds, seed):
    """Asks about the corpus, and about so many schemas by chance."""
    changer = Changer(seed)
    known = corpus()
    chance = answers.random_texts(rounds, seed)
    for text in decimals(changer.chance):
        answers.ask("decimals", text=text, strict=True, normal=True)
    for text in known:
        answers.ask("corpus", text=text, strict=True)
        answers.ask("corpus", text=text, strict=False, normal=True)
    for text in chance:
        answers.ask("chance", text=text, strict=True, normal=True)
    for i in range(rounds):
        text = changer.chance.choice([known, chance][i % 2])
        other = changer.evolve(text)
        divided = apart(text, changer.chance)
        answers.ask("mistakes", text=changer.change(text), strict=True)
        answers.ask("stored", text=changer.change(text), strict=False)
        answers.ask("spellings", text=changer.respell(text), strict=True)
        answers.ask("pairs", reader=text, writer=other)
        answers.ask("pairs", reader=other, writer=text)
        if divided:
            answers.ask("references", text=divided[0], refs=[divided[1]], strict=True)


def main(rounds, seed):
    sums = [0, 0, 0]
    classes, confluents = fetch("avro"), fetch("registry")
    # In parts: all answers of a part are in memory.
    for part in range((rounds + PART - 1) // PART):
        answers = Answers(classes, confluents)
        ask_all(answers, min(PART, rounds - part * PART), seed + part)
        answers.get()
        sums = [a + b for a, b in zip(sums, run(globals(), answers))]
    finish(*sums)


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else PART, int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    except Skip as reason:
        print(f"skipped avro-java: {reason}")
        finish(0, 0, 1)
