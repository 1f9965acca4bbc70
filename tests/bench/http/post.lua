-- post.lua -- wrk -s post.lua URL -- FILE: each request is a POST of what is in the file.
function init(args)
	local file = assert(io.open(args[1], "rb"))
	wrk.method = "POST"
	wrk.body = file:read("*a")
	file:close()
end
