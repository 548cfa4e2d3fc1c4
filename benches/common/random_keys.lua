-- Presents keys drawn at random from the file named by the argument. Requests are laid out beforehand: a draw is all that
-- this costs the client for each of them.

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
