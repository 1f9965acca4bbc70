# wiregen.awk -- makes C from kafka.tbl; the table itself explains its format.
#
#   awk -v out=h  -f wiregen.awk kafka.tbl    kafka_wire.h: structs and functions
#   awk -v out=c  -f wiregen.awk kafka.tbl    kafka_wire.c: descriptors
#   awk -v out=md -f wiregen.awk kafka.tbl    a page for the reader
#
# A line that makes no sense stops it with "file:line: reason".  POSIX awk: no
# extension of any one awk is used.
#
# The whole table is read into arrays first.  A message m has M_kind (api,
# header, record), M_cname, M_min, M_max, M_flex and M_body, a struct.  A struct s
# has S_cname, S_open while its lines may still come, and fields S_field[s, i].
# A field f has F_name, F_type and the rest of its line.

BEGIN {
	ANY = 32767             # "+" and "none": beyond every version
	split("bool int8 int16 error int32 int64 uuid string bytes records", t, " ")
	split("bool|int8_t|int16_t|int16_t|int32_t|int64_t|uint8_t|struct span|struct span|struct span", c, "|")
	for (i = 1; i in t; i++)
		CTYPE[t[i]] = c[i]
	IS_NUMBER["int8"] = IS_NUMBER["int16"] = IS_NUMBER["error"] = 1
	IS_NUMBER["int32"] = IS_NUMBER["int64"] = 1
	if (out != "h" && out != "c" && out != "md") {
		print "wiregen.awk: say -v out=h, -v out=c or -v out=md" >"/dev/stderr"
		failed = 1
		exit 1
	}
}

function bad(why)
{
	printf "%s:%d: %s\n", FILENAME, FNR, why >"/dev/stderr"
	failed = 1
	exit 1
}

# ---- reading the table ----

function is_name(s)
{
	return s ~ /^[a-z][a-z0-9_]*$/
}

# Sets lo and hi from "4+", "0-12", "7" or "none".
function read_range(s,  part)
{
	if (s ~ /^[0-9]+\+$/) {
		lo = s + 0
		hi = ANY
	} else if (s ~ /^[0-9]+-[0-9]+$/) {
		split(s, part, "-")
		lo = part[1] + 0
		hi = part[2] + 0
	} else if (s ~ /^[0-9]+$/) {
		lo = hi = s + 0
	} else if (s == "none") {
		lo = ANY
		hi = 0
	} else
		bad("'" s "' is no range of versions: 4+, 0-12 or 7")
	if (lo > hi && s != "none")
		bad("the range " s " is empty")
}

function show_range(from, to)
{
	if (to == ANY)
		return from "+"
	return from == to ? from : from "-" to
}

function new_struct(name,  s)
{
	s = ++n_structs
	S_cname[s] = M_cname[n_messages] (name == "" ? "" : "_" name)
	if (S_cname[s] in CNAME)
		bad("there is a struct wire_" S_cname[s] " already")
	CNAME[S_cname[s]] = s
	S_msg[s] = n_messages
	S_open[s] = 1
	S_n[s] = 0
	S_line[s] = FNR
	S_last_tag[s] = -1
	return s
}

# A struct whose last line has been read; so it may be referred to from here on.
function close_struct(s)
{
	S_open[s] = 0
	if (S_n[s] == 0)
		bad("struct wire_" S_cname[s] " of line " S_line[s] " has no fields")
}

function close_message()
{
	while (depth > 0)
		close_struct(STACK[depth--])
}

function open_message(kind, name)
{
	close_message()
	n_messages++
	M_kind[n_messages] = kind
	M_cname[n_messages] = name
	M_min[n_messages] = head_min
	M_max[n_messages] = head_max
	M_flex[n_messages] = head_flex
	STACK[depth = 1] = M_body[n_messages] = new_struct("")
}

# "api NAME KEY versions A-B flexible N+", "header ..." and "record ..." have
# the rest in common.
function read_head(i)
{
	if (!is_name($2))
		bad("'" $2 "' is no name: a-z, 0-9 and _")
	if ($i != "versions" || $(i + 2) != "flexible" || NF != i + 3)
		bad("expected: " $1 " NAME" ($1 == "api" ? " KEY" : "") " versions A-B flexible N+|none")
	read_range($(i + 1))
	if (hi == ANY)
		bad("the versions of a message have an end")
	head_min = lo
	head_max = hi
	read_range($(i + 3))
	head_flex = lo
	if ($2 in HEAD)
		bad("there is a message " $2 " already")
	HEAD[$2] = 1
}

function read_default(f, word)
{
	if (word == "null") {
		if (F_null_from[f] > F_null_to[f])
			bad(F_name[f] " has no null versions, so null is no default")
		F_null_default[f] = 1
	} else if (F_array[f] || F_type[f] == "struct" || F_type[f] == "uuid")
		bad("a default of " F_name[f] " can only be null")
	else if (F_type[f] in IS_NUMBER) {
		if (word !~ /^-?[0-9]+$/)
			bad("'" word "' is no default for " F_type[f])
		F_default[f] = word
	} else if (F_type[f] == "bool" && (word == "true" || word == "false"))
		F_default[f] = (word == "true") ? 1 : 0
	else if (F_type[f] != "string" || word != "\"\"")
		bad("'" word "' is no default for " F_type[f])
}

# What stands behind the versions, from word i on.
function read_attributes(f, i,  said)
{
	for (; i <= NF; i++) {
		if ($i == "null" && i < NF) {
			read_range($(++i))
			F_null_from[f] = lo
			F_null_to[f] = hi
		} else if ($i == "tag" && $(i + 1) ~ /^[0-9]+$/)
			F_tag[f] = $(++i) + 0
		else if ($i == "=" && i < NF) {
			read_default(f, $(++i))
			said = 1
		} else if ($i == "must")
			F_must[f] = 1
		else if ($i == "classic")
			F_classic[f] = 1
		else
			bad("cannot read '" $i "': null N+, tag n, = default, must, classic")
	}
	if (F_tag[f] >= 0 && F_null_from[f] <= F_null_to[f] && !said)
		bad(F_name[f] " is tagged and may be null: say its default")
}

# A struct that may be null is pointed to.
function is_pointer(f)
{
	return F_type[f] == "struct" && !F_array[f] && F_null_from[f] <= F_null_to[f]
}

# Rules that follow from the parts of a line taken together.
function check_field(f, s,  m)
{
	m = S_msg[s]
	if ((s, F_name[f]) in HAS)
		bad("a second " F_name[f] " in one struct")
	HAS[s, F_name[f]] = 1
	if (F_from[f] > M_max[m] || F_to[f] < M_min[m])
		bad("no version of " M_cname[m] " has " F_name[f])
	if (F_null_from[f] <= F_null_to[f] && (F_null_from[f] < F_from[f] || F_null_to[f] > F_to[f]))
		bad(F_name[f] " may be null in versions that lack it")
	if (F_null_from[f] <= F_null_to[f] && !F_array[f] && F_type[f] != "struct" &&
	    F_type[f] != "string" && F_type[f] != "bytes" && F_type[f] != "records")
		bad(F_type[f] " cannot be null")
	if (is_pointer(f) && (F_null_from[f] != F_from[f] || F_null_to[f] != F_to[f] ||
	    !F_null_default[f] || F_tag[f] >= 0))
		bad("a struct that may be null is so in all its versions and by default, and has no tag")
	if (F_classic[f] && (F_type[f] != "string" || F_array[f]))
		bad("only a string can be classic")
	if (F_tag[f] < 0)
		return
	if (F_from[f] < M_flex[m])
		bad("a tagged field needs flexible versions")
	if (F_tag[f] <= S_last_tag[s])
		bad("tags of one struct must rise")
	if (F_type[f] == "records")
		bad("records cannot be tagged")
	S_last_tag[s] = F_tag[f]
}

# The struct that a type names: one known by now, or one that opens here.
function struct_of(f, name,  cname)
{
	if (!is_name(name))
		bad("'" name "' is no type")
	cname = M_cname[n_messages] "_" name
	if (!(cname in CNAME)) {
		opens = name
		return
	}
	if (S_open[CNAME[cname]])
		bad("struct wire_" cname " cannot hold itself")
	F_struct[f] = CNAME[cname]
}

function read_field(level,  s, f, type, i)
{
	if (opens != "") {
		if (level != depth + 1)
			bad("the fields of " opens " must follow, two blanks deeper")
		STACK[++depth] = F_struct[n_fields] = new_struct(opens)
		opens = ""
	}
	if (level > depth || depth == 0)
		bad("nothing is open at this depth")
	while (depth > level)
		close_struct(STACK[depth--])
	s = STACK[depth]
	f = ++n_fields
	F_name[f] = $1
	if (!is_name($1) || NF < 3)
		bad("expected: name type versions [null versions] [tag n] [= default] [must]")
	type = $2
	i = 3
	F_array[f] = sub(/^\[\]/, "", type)
	if (type == "struct") {
		struct_of(f, $3)
		i = 4
	} else if (type in CTYPE)
		F_type[f] = type
	else if (F_array[f])
		struct_of(f, type)
	else
		bad("'" $2 "' is no type")
	if (F_type[f] == "")
		F_type[f] = "struct"
	read_range($i)
	F_from[f] = lo
	F_to[f] = hi
	F_null_from[f] = 1      # none
	F_null_to[f] = 0
	F_tag[f] = -1
	F_default[f] = 0
	F_doc[f] = doc
	read_attributes(f, i + 1)
	check_field(f, s)
	S_field[s, ++S_n[s]] = f
}

{
	doc = ""
	if ((at = index($0, "#")) > 0) {
		doc = substr($0, at + 1)
		sub(/^ +/, "", doc)
		sub(/ +$/, "", doc)
		$0 = substr($0, 1, at - 1)
	}
	if ($0 ~ /\t/)
		bad("a tab: steps are two blanks")
	match($0, /^ */)
	indent = RLENGTH
	sub(/ +$/, "")
}
NF == 0 { next }
indent % 2 == 1 { bad("steps are two blanks") }
indent > 0 { read_field(indent / 2); next }
opens != "" { bad("struct " opens " above has no fields") }
$1 == "api" {
	close_message()
	if ($3 !~ /^[0-9]+$/)
		bad("expected: api NAME KEY versions A-B flexible N+|none")
	if (n_apis > 0 && $3 + 0 <= A_key[n_apis])
		bad("keys must rise")
	read_head(4)
	A_name[++n_apis] = $2
	A_key[n_apis] = $3 + 0
	next
}
$1 == "request" || $1 == "response" {
	if (NF > 1 || n_apis == 0)
		bad("'" $1 "' stands alone, below an api")
	open_message("api", A_name[n_apis] "_" $1)
	if ($1 == "request")
		A_request[n_apis] = n_messages
	else
		A_response[n_apis] = n_messages
	next
}
$1 == "header" || $1 == "record" {
	read_head(3)
	open_message($1, $2)
	next
}
{ bad("'" $1 "' begins no line: api, request, response, header, record") }

# ---- what all three outputs use ----

# Structs that f's struct holds come first.
function order(s,  i, f)
{
	if (s in ORDERED)
		return
	ORDERED[s] = 1
	for (i = 1; i <= S_n[s]; i++) {
		f = S_field[s, i]
		if (F_type[f] == "struct")
			order(F_struct[f])
	}
	ORDER[++n_ordered] = s
}

function order_message(m)
{
	n_ordered = 0
	order(M_body[m])
}

function ctype(f)
{
	return F_type[f] == "struct" ? "struct wire_" S_cname[F_struct[f]] : CTYPE[F_type[f]]
}

# The C member without its semicolon.
function member(f)
{
	if (F_array[f] && F_type[f] == "uuid")
		return "uint8_t (*" F_name[f] ")[16]"
	if (F_type[f] == "uuid")
		return "uint8_t " F_name[f] "[16]"
	return ctype(f) (F_array[f] || is_pointer(f) ? " *" : " ") F_name[f]
}

# The default in words, "" when it is all zero or empty.
function show_default(f)
{
	if (F_null_default[f])
		return "null"
	if (F_type[f] == "bool")
		return F_default[f] ? "true" : ""
	return F_default[f] == 0 ? "" : F_default[f]
}

# What a reader of the struct wants to know of a field, besides its name.
function remark(f,  s)
{
	s = "v" show_range(F_from[f], F_to[f])
	if (F_null_from[f] <= F_null_to[f])
		s = s ", null " (F_null_from[f] == F_from[f] && F_null_to[f] == F_to[f] ? "allowed" : "v" show_range(F_null_from[f], F_null_to[f]))
	if (F_tag[f] >= 0)
		s = s ", tag " F_tag[f]
	if (show_default(f) != "")
		s = s ", default " show_default(f)
	return s (F_doc[f] == "" ? "" : "; " F_doc[f])
}

function show_flex(m)
{
	return M_flex[m] == ANY ? "never flexible" : "flexible " M_flex[m] "+"
}

function about(m)
{
	return M_cname[m] ", versions " show_range(M_min[m], M_max[m]) ", " show_flex(m)
}

# ---- kafka_wire.h ----

function put_struct(s,  i, f)
{
	printf "struct wire_%s {\n", S_cname[s]
	for (i = 1; i <= S_n[s]; i++) {
		f = S_field[s, i]
		printf "\t%s; /* %s */\n", member(f), remark(f)
		if (F_array[f])
			printf "\tsize_t n_%s;\n", F_name[f]
	}
	printf "};\n\n"
}

function version_arg(m)
{
	return M_kind[m] == "record" ? "" : "int version, "
}

function put_prototypes(m,  i, n)
{
	n = M_cname[m]
	for (i = 1; i <= n_ordered; i++)
		printf "void wire_%s_default(struct wire_%s *);\n", S_cname[ORDER[i]], S_cname[ORDER[i]]
	printf "int wire_%s_decode(struct wire_in *, %sstruct wire_%s *);\n", n, version_arg(m), n
	printf "void wire_%s_encode(struct gather *, %sconst struct wire_%s *);\n\n", n, version_arg(m), n
}

function put_h(  m, a, i)
{
	print "/*"
	print " * kafka_wire.h -- the messages of kafka.tbl as structs; made by wiregen.awk."
	print " *"
	print " * wire.h says what all of these functions do.  A field's comment gives the"
	print " * versions that have it on the wire."
	print " */"
	print "#ifndef WIRE_KAFKA_WIRE_H\n#define WIRE_KAFKA_WIRE_H\n"
	print "#include \"wire/wire.h\"\n"
	print "enum wire_api_key {"
	for (a = 1; a <= n_apis; a++)
		printf "\tWIRE_%s = %d,\n", toupper(A_name[a]), A_key[a]
	print "};\n"
	for (m = 1; m <= n_messages; m++) {
		printf "/* %s */\n\n", about(m)
		order_message(m)
		for (i = 1; i <= n_ordered; i++)
			put_struct(ORDER[i])
		put_prototypes(m)
	}
	print "#endif"
}

# ---- kafka_wire.c ----

function put_descriptor(s,  i, f, flags)
{
	printf "static const struct wire_field fields_%s[] = {\n", S_cname[s]
	for (i = 1; i <= S_n[s]; i++) {
		f = S_field[s, i]
		printf "\t{ .name = \"%s\", .kind = WIRE_KIND_%s, .tag = %d,\n", F_name[f], toupper(F_type[f]), F_tag[f]
		printf "\t  .from = %d, .to = %d, .null_from = %d, .null_to = %d,\n", F_from[f], F_to[f], F_null_from[f], F_null_to[f]
		flags = ""
		if (F_type[f] == "struct")
			flags = flags ", .type = &struct_" S_cname[F_struct[f]]
		if (F_array[f])
			flags = flags ",\n\t  .array = true, .n_offset = offsetof(struct wire_" S_cname[s] ", n_" F_name[f] ")"
		if (F_default[f] != 0)
			flags = flags ", .number = " F_default[f]
		if (F_null_default[f])
			flags = flags ", .null_default = true"
		if (F_must[f])
			flags = flags ", .must = true"
		if (F_classic[f])
			flags = flags ", .classic = true"
		printf "\t  .offset = offsetof(struct wire_%s, %s)%s },\n", S_cname[s], F_name[f], flags
	}
	printf "};\nstatic const struct wire_struct struct_%s = {\n", S_cname[s]
	printf "\t.size = sizeof(struct wire_%s), .fields = fields_%s, .n_fields = %d, .tags = %s,\n};\n\n", S_cname[s], S_cname[s], S_n[s], (S_last_tag[s] >= 0 ? "true" : "false")
}

function put_message(m)
{
	printf "static const struct wire_message message_%s = {\n", M_cname[m]
	printf "\t.name = \"%s\", .kind = WIRE_MESSAGE_%s, .min = %d, .max = %d, .flexible_from = %d,\n", M_cname[m], toupper(M_kind[m]), M_min[m], M_max[m], M_flex[m]
	printf "\t.body = &struct_%s,\n};\n\n", M_cname[m]
}

function put_functions(m,  i, n, v)
{
	n = M_cname[m]
	for (i = 1; i <= n_ordered; i++)
		printf "void\nwire_%s_default(struct wire_%s *to)\n{\n\twire_default(&struct_%s, to);\n}\n\n", S_cname[ORDER[i]], S_cname[ORDER[i]], S_cname[ORDER[i]]
	v = (M_kind[m] == "record") ? "" : "version, "
	printf "int\nwire_%s_decode(struct wire_in *in, %sstruct wire_%s *to)\n{\n", n, version_arg(m), n
	printf "\treturn wire_%sdecode(in, &message_%s, %sto);\n}\n\n", (v == "" ? "record_" : ""), n, v
	printf "void\nwire_%s_encode(struct gather *out, %sconst struct wire_%s *from)\n{\n", n, version_arg(m), n
	printf "\twire_%sencode(out, &message_%s, %sfrom);\n}\n\n", (v == "" ? "record_" : ""), n, v
}

function put_c(  m, a, i)
{
	print "/* kafka_wire.c -- descriptors of the messages of kafka.tbl; made by wiregen.awk. */"
	print "#include \"wire/kafka_wire.h\"\n"
	for (m = 1; m <= n_messages; m++) {
		order_message(m)
		for (i = 1; i <= n_ordered; i++)
			put_descriptor(ORDER[i])
		put_message(m)
		put_functions(m)
	}
	print "const struct wire_api wire_apis[] = {"
	for (a = 1; a <= n_apis; a++)
		printf "\t{ %d, \"%s\", %d, %d, %d, &message_%s_request, &message_%s_response },\n", A_key[a], A_name[a], M_min[A_request[a]], M_max[A_request[a]], M_flex[A_request[a]], A_name[a], A_name[a]
	print "};\nconst size_t wire_n_apis = sizeof wire_apis / sizeof *wire_apis;\n"
	print "const struct wire_message *const wire_messages[] = {"
	for (m = 1; m <= n_messages; m++)
		printf "\t&message_%s,\n", M_cname[m]
	print "};\nconst size_t wire_n_messages = sizeof wire_messages / sizeof *wire_messages;"
}

# ---- the page ----

function put_md_fields(s, step,  i, f, type)
{
	for (i = 1; i <= S_n[s]; i++) {
		f = S_field[s, i]
		type = F_type[f]
		if (type == "struct")
			type = F_array[f] ? "" : "struct"
		else if (type == "error")
			type = "int16"
		printf "%s- `%s` %s%s: %s\n", step, F_name[f], (F_array[f] ? "array" (type == "" ? "" : " of ") : ""), type, remark(f)
		if (F_type[f] == "struct")
			put_md_fields(F_struct[f], step "  ")
	}
}

function put_md(  a, m)
{
	print "# Messages\n"
	print "Made from logd/wire/kafka.tbl. The versions are those that logd advertises.\n"
	print "| key | API | versions | flexible |\n|---|---|---|---|"
	for (a = 1; a <= n_apis; a++) {
		m = A_request[a]
		printf "| %d | [%s](#%s_request) | %s | %s |\n", A_key[a], A_name[a], A_name[a], show_range(M_min[m], M_max[m]), (M_flex[m] == ANY ? "never" : M_flex[m] "+")
	}
	for (m = 1; m <= n_messages; m++) {
		printf "\n## %s\n\nVersions %s, %s.\n\n", M_cname[m], show_range(M_min[m], M_max[m]), show_flex(m)
		put_md_fields(M_body[m], "")
	}
}

END {
	if (failed)
		exit 1
	if (opens != "")
		bad("struct " opens " has no fields")
	close_message()
	for (a = 1; a <= n_apis; a++)
		if (!(a in A_request) || !(a in A_response))
			bad("api " A_name[a] " needs a request and a response")
	if (n_apis == 0)
		bad("no messages")
	if (out == "h")
		put_h()
	else if (out == "c")
		put_c()
	else
		put_md()
}
