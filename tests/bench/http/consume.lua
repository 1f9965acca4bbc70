-- consume.lua -- wrk -t N -c N -s consume.lua URL -- PATH...: each thread, with one connection, asks for
-- the records of one consumer instance, and goes back to the beginning where there are no more.
local threads = 0
local at_end = false

function setup(thread)
	threads = threads + 1
	thread:set("own", threads)
end

function init(args)
	path = args[own + 1]
	back = args[1]
end

function request()
	if at_end then
		at_end = false
		return wrk.format("POST", path .. "/positions/beginning", { ["Content-Type"] = "application/vnd.kafka.v2+json" }, back)
	end
	return wrk.format("GET", path .. "/records?timeout=100&max_bytes=100000")
end

function response(status, headers, body)
	at_end = status == 200 and #body == 2
end
