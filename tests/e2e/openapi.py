"""openapi.py -- whether an answer of the registry is as docs/reference/registry-openapi.json says: its status, its type,
its body's schema, and the order of its fields.

registry_site.py asks this of every answer that a test gets, where Debian's python3-jsonschema is there.
"""
import gzip
import json
import os
import re
import threading

try:
    import jsonschema
except ImportError:
    jsonschema = None

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/reference/registry-openapi.json")
# Of answers of the same kind so many are looked at: under load they are no news.
ENOUGH = 200


def of_path(pattern):
    """A template of a path as a regular expression; a slash may follow."""
    return re.compile("/?".join([re.sub(r"\\\{[A-Za-z]+\\\}", "[^/]+", re.escape(pattern.rstrip("/"))), ""]) + "$")


class Document:
    """.whole is the document; .seen how often each (operation, status, error_code) was met."""

    def __init__(self, path=PAGE):
        with open(path, encoding="utf-8") as f:
            self.whole = json.load(f)
        self.operations = [(of_path(path), path, methods) for path, methods in self.whole["paths"].items()]
        self.seen = {}
        self._validators = {}
        self._lock = threading.Lock()

    def resolve(self, value):
        """What a reference stands for."""
        while "$ref" in value:
            at, value = value["$ref"], self.whole
            for name in at[2:].split("/"):
                value = value[name]
        return value

    def operation(self, method, target):
        """(name, operation) of a request; None where it is none."""
        path = target.partition("?")[0]
        if re.search("%(?![0-9A-Fa-f]{2})", path):
            return None
        inner = re.match(r"/contexts/[^/]+(/.+)$", path)
        if inner:
            path = inner.group(1)
        for pattern, name, methods in self.operations:
            of = methods.get("get" if method == "HEAD" else method.lower())
            if of is not None and pattern.match(path):
                return f"{method} {name}", of
        return None

    def errors(self, schema, body):
        """What is wrong with a body by a schema."""
        key = json.dumps(schema)
        if key not in self._validators:
            self._validators[key] = jsonschema.Draft202012Validator({**schema, "components": self.whole["components"]})
        return [f"{'/'.join(map(str, e.path))}: {e.message[:500]}" for e in self._validators[key].iter_errors(body)]

    def _order(self, schema, body, at=""):
        """The places where fields are not in the order of the schema."""
        schema = self.resolve(schema)
        if isinstance(body, list):
            return [w for i, v in enumerate(body) for w in self._order(schema.get("items", {}), v, f"{at}/{i}")]
        if not isinstance(body, dict):
            return []
        known, more = schema.get("properties", {}), schema.get("additionalProperties", {})
        here = [n for n in body if n in known]
        wrong = [] if here == sorted(here, key=list(known).index) else [f"{at}: order of {here}"]
        for name, value in body.items():
            of = known.get(name, more)
            wrong += self._order(of, value, f"{at}/{name}") if isinstance(of, dict) else []
        return wrong

    def check(self, method, target, status, content_type, body):
        """Raises AssertionError where the answer is not as it may be; a path that is none is no matter of the document's."""
        found = self.operation(method, target)
        if found is None:
            return
        name, of = found
        code = re.match(rb'\{"error_code":(\d+)', body) if status >= 400 else None
        kind = name, status, code and int(code.group(1))
        with self._lock:
            self.seen[kind] = self.seen.get(kind, 0) + 1
            if self.seen[kind] > ENOUGH:
                return
        wrong = self._wrong(of, method, status, (content_type or "").partition(";")[0], body, kind[2])
        if wrong:
            raise AssertionError(f"{method} {target} is not answered as the document says: {status} {content_type} {body[:600]}: {wrong}")

    def _wrong(self, of, method, status, kind, body, code):
        answer, nginx = of["responses"].get(str(status)), of["responses"]["default"]
        if method == "HEAD":
            return []
        # nginx tells of itself, too.
        if code == status and kind == "application/json" and not self._content_wrong(nginx, kind, body):
            return []
        return self._content_wrong(answer, kind, body) if answer is not None else ["no such status"]

    def _content_wrong(self, answer, kind, body):
        content = self.resolve(answer).get("content")
        if content is None:
            return ["a body where there is none"] if body else []
        if kind not in content:
            return [f"no such type: {kind}"]
        schema = content[kind]["schema"]
        if kind == "text/plain":
            return self.errors(schema, body.decode())
        try:
            value = json.loads(body)
        except ValueError as error:
            return [str(error)]
        return self.errors(schema, value) + self._order(schema, value)


document = Document() if jsonschema is not None else None


def check(method, target, answer):
    """An answer of nginx, or of a process that did not hand the request on."""
    if document is not None and answer.status != 307:
        squeezed = answer.headers.get("Content-Encoding") == "gzip"
        document.check(method, target, answer.status, answer.headers.get("Content-Type"),
                       gzip.decompress(answer.body) if squeezed else answer.body)
    return answer
