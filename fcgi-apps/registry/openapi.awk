# openapi.awk -- makes docs/reference/registry-openapi.json.
#
#   awk -f openapi.awk routes.c problems.tbl ../common/problem.c weir-errors.conf openapi.tbl openapi_parts.json
#
# A route that openapi.tbl does not know, or the other way round, a problem that nothing refuses, and a line that
# makes no sense stop it with a reason.  POSIX awk.
#
# Problems have P_status, P_code and P_text by name; those of common/problem.c are named http:not_found and so on.
# An operation has O_says, O_more, O_query, O_body, O_status, O_schema, O_refuses, O_writes and O_watches by
# "METHOD PATH".  within[] are the schemas of problems that stand in answers, W_list the problems by their names.

function bad(why)
{
	printf "openapi.awk: %s\n", why >"/dev/stderr"
	failed = 1
	exit 1
}

# A backslash before each of these characters: what gsub() does with backslashes differs from awk to awk.
function escaped(s, characters,   i, c, out)
{
	out = ""
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		out = out (index(characters, c) > 0 ? "\\" : "") c
	}
	return out
}

function quoted(s)
{
	return "\"" escaped(s, "\"\\") "\""
}

function after(s, what)
{
	return substr(s, index(s, what) + length(what))
}

# ---- what there is ----

FILENAME ~ /routes\.c$/ && /^\t\{ HTTP_/ {
	split($0, part, "\"")
	name = $2
	sub(/^HTTP_/, "", name)
	sub(/,$/, "", name)
	route[++n_routes] = name " " part[2]
	label[n_routes] = part[4]
}

function add_problem(name, status, code, text)
{
	P_status[name] = status
	P_code[name] = code
	gsub(/\\"/, "\"", text)
	P_text[name] = text
}

FILENAME ~ /problems\.tbl$/ && /^PROBLEM\(/ {
	split(after($0, "("), part, ", ")
	text = after($0, "\"")
	sub(/"\)$/, "", text)
	add_problem(part[1], part[2], part[3], text)
	own[++n_own] = part[1]
}

FILENAME ~ /problem\.c$/ && /^const struct problem problem_/ {
	name = $4
	sub(/^problem_/, "", name)
	split(after($0, "{ "), part, ", ")
	text = after($0, "\"")
	sub(/".*/, "", text)
	add_problem("http:" name, part[1], part[2], text)
}

FILENAME ~ /weir-errors\.conf$/ && /return [0-9]+ '/ {
	text = substr(after($0, "return "), 1, 3)
	# Of a path that an operation has, and of its methods, nginx does not say that they are none.
	if (text != 404 && text != 405)
		nginx_code[++n_nginx] = text
}

# ---- the table ----

FILENAME ~ /openapi\.tbl$/ && /^(GET|POST|PUT|DELETE) \// {
	op = $1 " " $2
	if (op in O_says)
		bad(op " is there twice")
	O_says[op] = ""
	next
}

FILENAME ~ /openapi\.tbl$/ && !/^#/ && NF > 0 {
	value = $0
	sub(/^[a-z]+\t?/, "", value)
	if ($1 == "says")
		O_says[op] = value
	else if ($1 == "more")
		O_more[op] = O_more[op] (O_more[op] == "" ? "" : " ") value
	else if ($1 == "query")
		O_query[op] = value
	else if ($1 == "body")
		O_body[op] = value
	else if ($1 == "answers") {
		O_status[op] = $2
		O_schema[op] = $3
	} else if ($1 == "refuses")
		O_refuses[op] = value
	else if ($1 == "within") {
		within[++n_within] = $2
		W_list[$2] = after(value, " ")
	} else if ($1 == "writes")
		O_writes[op] = 1
	else if ($1 == "watches")
		O_watches[op] = 1
	else
		bad("openapi.tbl:" FNR ": there is no such line: " $1)
}

# ---- what is refused ----

# All that an operation refuses.
function refusals(op,   method, all)
{
	method = substr(op, 1, index(op, " ") - 1)
	all = O_refuses[op] " http:not_acceptable http:internal http:unavailable"
	if (!O_watches[op])
		all = all " TOPIC_LOST"
	if (op !~ / \/$/) # with a context before it, that is the context itself
		all = all " INVALID_CONTEXT"
	if (method == "POST" || method == "PUT")
		all = all " http:unsupported_media_type http:too_large"
	if (O_body[op] != "")
		all = all " http:bad_request http:unprocessable"
	if (O_writes[op])
		all = all " STORE_FAILED STORE_TIMED_OUT NO_LEADER FOREIGN_WRITER"
	if (O_query[op] ~ /(^| )offset( |$)/)
		all = all " http:not_found"
	return all
}

# Names in the order of their codes, and of the table; those of one status, each once.
function of_status(all, status,   n, i, j, name, seen, list, t)
{
	n = split(all, name, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && P_code[name[j - 1]] + 0 > P_code[name[j]] + 0; j--) {
			t = name[j]
			name[j] = name[j - 1]
			name[j - 1] = t
		}
	list = ""
	for (i = 1; i <= n; i++) {
		if (!(name[i] in P_status))
			bad(op ": there is no problem " name[i])
		used[name[i]] = 1
		if (P_status[name[i]] == status && !(name[i] in seen))
			list = list (list == "" ? "" : " ") name[i]
		seen[name[i]] = 1
	}
	return list
}

# The pattern of a message: %s is any text, %d a number.
function pattern(text)
{
	text = escaped(text, "\\.()[]{}*+?^$|")
	gsub(/%s/, "([.]|[^.])*", text)
	gsub(/%d/, "-?[0-9]+", text)
	return "^" text "$"
}

# An incompatible schema has one of two codes, by a setting.
function codes_of(name)
{
	return P_code[name] (name == "INCOMPATIBLE" ? ", 40901" : "")
}

function example_of(name,   text)
{
	text = P_text[name]
	gsub(/%s/, "...", text)
	gsub(/%d/, "1", text)
	return "{ \"error_code\": " P_code[name] ", \"message\": " quoted(text) " }"
}

function error_schema(list, indent,   n, i, name, codes, forms, examples, seen, code)
{
	n = split(list, name, " ")
	for (i = 1; i <= n; i++) {
		code = codes_of(name[i])
		if (!(code in seen))
			codes = codes (codes == "" ? "" : ", ") code
		seen[code] = 1
		forms = forms (i == 1 ? "" : ",") "\n" indent "    { \"properties\": { \"error_code\": { \"enum\": [" code "] }, \"message\": { \"pattern\": " quoted(pattern(P_text[name[i]])) " } } }"
		examples = examples (i == 1 ? "" : ",") "\n" indent "    " example_of(name[i])
	}
	return "{\n" indent "  \"type\": \"object\",\n" indent "  \"properties\": { \"error_code\": { \"enum\": [" codes "] }, \"message\": { \"type\": \"string\" } },\n" \
		indent "  \"required\": [\"error_code\", \"message\"],\n" indent "  \"additionalProperties\": false,\n" \
		indent "  \"anyOf\": [" forms "\n" indent "  ],\n" indent "  \"examples\": [" examples "\n" indent "  ]\n" indent "}"
}

# ---- the document ----

function types_of(schema)
{
	return "\"content\": { \"application/vnd.schemaregistry.v1+json\": { \"schema\": " schema " }, \"application/vnd.schemaregistry+json\": { \"schema\": " schema " }, \"application/json\": { \"schema\": " schema " } }"
}

function ref(kind, name)
{
	return "{ \"$ref\": \"#/components/" kind "/" name "\" }"
}

function parameters(op,   path, n, i, part, list)
{
	path = after(op, " ")
	n = split(path, part, "/")
	list = ""
	for (i = 1; i <= n; i++)
		if (part[i] ~ /^\{/)
			list = list (list == "" ? "" : ", ") ref("parameters", "path." substr(part[i], 2, length(part[i]) - 2))
	n = split(O_query[op], part, " ")
	for (i = 1; i <= n; i++)
		list = list (list == "" ? "" : ", ") ref("parameters", part[i])
	return list
}

# The name of the response that is made of these problems, noted to be made.
function response(list,   name)
{
	name = list
	gsub(/http:/, "http.", name)
	gsub(/ /, "-", name)
	if (!(name in R_list)) {
		R_list[name] = list
		responses[++n_responses] = name
	}
	return name
}

function success(op)
{
	if (O_watches[op])
		return "{ \"description\": \"Done.\", \"content\": { \"text/plain\": { \"schema\": " ref("schemas", O_schema[op]) " } } }"
	if (O_schema[op] == "-")
		return "{ \"description\": \"Done.\" }"
	return "{ \"description\": \"Done.\", " types_of(ref("schemas", O_schema[op])) " }"
}

function operation(i,   op, all, n, s, k, list, id)
{
	op = route[i]
	id = label[i]
	if (id in seen_id)
		id = id "." tolower(substr(op, 1, index(op, " ") - 1))
	seen_id[id] = 1
	printf "      \"operationId\": %s,\n", quoted(id)
	list = after(op, " /")
	sub(/[\/:].*/, "", list)
	printf "      \"tags\": [%s],\n", quoted(list == "" ? "root" : list == "-" ? "watching" : list == "v1" ? "metadata" : list)
	printf "      \"summary\": %s,\n", quoted(O_says[op])
	if (O_more[op] != "")
		printf "      \"description\": %s,\n", quoted(O_more[op])
	if ((list = parameters(op)) != "")
		printf "      \"parameters\": [%s],\n", list
	if (O_body[op] != "")
		printf "      \"requestBody\": { \"required\": true, %s },\n", types_of(ref("schemas", O_body[op]))
	printf "      \"responses\": {\n        \"%s\": %s,\n", O_status[op], success(op)
	all = refusals(op)
	n = split("400 404 406 409 413 415 422 500 503", s, " ")
	for (k = 1; k <= n; k++)
		if ((list = of_status(all, s[k])) != "")
			printf "        \"%s\": %s,\n", s[k], ref("responses", response(list))
	printf "        \"default\": %s\n      }\n", ref("responses", "nginx")
}

function paths(   i, path, last, method)
{
	print "  \"paths\": {"
	# The methods of a path stand together here, wherever they stand there.
	for (i = 1; i <= n_routes; i++) {
		path = after(route[i], " ")
		if (path in done)
			continue
		done[path] = 1
		printf "%s    %s: {\n", last, quoted(path)
		last = "    },\n"
		method = ""
		for (k = i; k <= n_routes; k++) {
			if (after(route[k], " ") != path)
				continue
			printf "%s      %s: {\n", method, quoted(tolower(substr(route[k], 1, index(route[k], " ") - 1)))
			method = "      },\n"
			operation(k)
		}
		print "      }"
	}
	print "    }\n  },"
}

function texts_of(list,   n, i, name, text)
{
	n = split(list, name, " ")
	for (i = 1; i <= n; i++)
		text = text (i == 1 ? "" : "; ") codes_of(name[i]) ": " (P_text[name[i]] == "%s" ? "the reason" : P_text[name[i]])
	return text
}

function all_responses(   i, codes, list)
{
	print "    \"responses\": {"
	for (i = 1; i <= n_responses; i++) {
		list = R_list[responses[i]]
		printf "      %s: {\n        \"description\": %s,\n", quoted(responses[i]), quoted(texts_of(list))
		printf "        %s\n      },\n", types_of(ref("schemas", "Error." responses[i]))
	}
	for (i = 1; i <= n_nginx; i++)
		codes = codes (i == 1 ? "" : ", ") nginx_code[i]
	print "      \"nginx\": {"
	print "        \"description\": \"What nginx refuses by itself, or tells for a process that is away. error_code is the status.\","
	printf "        \"content\": { \"application/json\": { \"schema\": { \"type\": \"object\", \"properties\": { \"error_code\": { \"enum\": [%s] }, \"message\": { \"type\": \"string\" } }, \"required\": [\"error_code\", \"message\"], \"additionalProperties\": false } } }\n      }\n    }\n", codes
}

# Errors are schemas, too: once for their three types, and those within answers.
function all_errors(   i, k, n, name)
{
	for (i = 1; i <= n_within; i++) {
		n = split(W_list[within[i]], name, " ")
		for (k = 1; k <= n; k++)
			if (!(name[k] in P_status))
				bad(within[i] ": there is no problem " name[k])
		printf "      %s: %s,\n", quoted(within[i]), error_schema(W_list[within[i]], "      ")
	}
	for (i = 1; i <= n_responses; i++)
		printf "      %s: %s,\n", quoted("Error." responses[i]), error_schema(R_list[responses[i]], "      ")
}

function check_all(   i, op)
{
	for (i = 1; i <= n_routes; i++) {
		if (O_says[route[i]] == "" || O_status[route[i]] == "")
			bad("openapi.tbl does not tell of " route[i])
		is_route[route[i]] = 1
	}
	for (op in O_says)
		if (!(op in is_route))
			bad("routes.c does not have " op)
}

FILENAME ~ /openapi_parts\.json$/ {
	if (FNR == 1)
		check_all()
	if ($0 == "@paths@")
		paths()
	else if ($0 == "@responses@")
		all_responses()
	else {
		print
		if ($0 ~ /^    "schemas": \{$/)
			all_errors()
	}
}

END {
	for (i = 1; !failed && i <= n_own; i++)
		if (!(own[i] in used)) {
			printf "openapi.awk: nothing refuses %s\n", own[i] >"/dev/stderr"
			failed = 1
		}
	exit failed
}
