-- register.lua -- wrk -s register.lua URL -- FILE PREFIX: each request registers a schema that is not
-- there yet: what is in the file, with a word in the place of @NEW@ that begins with the prefix, under
-- a subject of its own.
local threads, number = 0, 0
local before, after

function setup(thread)
	threads = threads + 1
	thread:set("own", threads)
end

function init(args)
	local file = assert(io.open(args[1], "rb"))
	before, after = file:read("*a"):match("^(.*)@NEW@(.*)$")
	file:close()
	prefix = args[2] .. own .. "_"
end

function request()
	number = number + 1
	local name = prefix .. number
	return wrk.format("POST", "/subjects/" .. name .. "/versions", nil, before .. name .. after)
end
