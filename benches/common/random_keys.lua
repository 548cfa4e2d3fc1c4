-- Presents keys drawn at random from the file in the argument. Requests are formatted in advance, so that the client only
-- draws one for each.

dofile("report.lua")

local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

local requests = {}

function init(arguments)
    math.randomseed(number)
    for key in io.lines(arguments[1]) do
        wrk.headers["Authorization"] = "Bearer " .. key
        requests[#requests + 1] = wrk.format()
    end
end

function request()
    return requests[math.random(#requests)]
end
