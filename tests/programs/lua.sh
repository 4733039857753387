# lua: tables, strings, closures, coroutines, floats, metatables.
exec lua5.4 - << 'SCRIPT'
local t = {} for i = 1, 1000 do t[i] = (i * 7919) % 1009 end table.sort(t) print(t[1], t[500], t[1000], #t)
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end print(fib(22))
local co = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i * i) end end) for _ = 1, 5 do io.write(co(), ' ') end print()
print(("%5.2f %d %s %q"):format(math.pi, 2^53 | 0, 'x', 'a\nb'), 7 // 2, -7 // 2, -7 % 3, 7.5 // 2, 1e15, 2^63, math.mininteger)
print(("hello world"):gsub("o", "0"), ("key=val"):match("(%w+)=(%w+)"), ("abc"):rep(3, "-"), #("x"):rep(100000))
local v = setmetatable({1, 2}, {__add = function(a, b) return a[1] + b end, __call = function(s, x) return x * 2 end}) print(v + 5, v(21))
print((pcall(error, {code = 1})), select('#', 1, nil, nil), string.pack('>I4d', 7, 1.5):byte(1, -1)) for w in ("one two three"):gmatch("%a+") do io.write(w, ';') end print(math.tointeger(3.0), 0/0 ~= 0/0, utf8.char(233, 8364))
local s = 0 for i = 1, 300000 do s = s + i % 7 * 0.5 end print(s) print(os.time{year = 2020, month = 1, day = 1, hour = 12} > 0)
SCRIPT
