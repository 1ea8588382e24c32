# Net::HTTP: sessions that were started are kept alive; a request without one closes.
#
#     http_net_http.rb URL FAULT [CA]
#
# What is read is printed: it is the same without the guard.
require "fiber"
require "net/http"

$stdout.sync = true
$url, fault, $ca = ARGV
LEAKS, MANY, TOGETHER, PART = 5, 24, 4, 100_000

def uri(page) = URI("#{$url}/#{page}")

def session(page = "")
  made = Net::HTTP.new(uri(page).host, uri(page).port)
  made.use_ssl = uri(page).scheme == "https"
  made.ca_file = $ca
  made
end

# So many results of the block, some time apart: each lies idle for more than a tenth of leak_after.
def hold(count = LEAKS)
  Array.new(count) { yield.tap { sleep 0.05 } }
end

def ask(made, page)
  puts made.get(uri(page).path).body.size
  made
end

def fetch(page) = ask(session.start, page)

# A response of which so much was read; it stays in the middle of its block.
def begun(page, size)
  made = session.start
  fiber = Fiber.new do
    made.request(Net::HTTP::Get.new(uri(page))) do |response|
      Fiber.yield if size == 0
      read = 0
      response.read_body { |data| Fiber.yield if (read += data.size) >= size }
    end
  end
  fiber.resume
  [made, fiber]
end

def undrained(page)
  session.start do |made|
    made.request(Net::HTTP::Get.new(uri(page))) { |response| return puts(response.code) }
  end
end

def asleep(page)
  puts "STILL"
  fetch(page)
end

# One session, whose connection is opened again where the server has closed it.
def long
  session.start.tap { |made| made.keep_alive_timeout = 60 }
end

def retried
  long.tap { |made| MANY.times { |i| ask(made, i < MANY - 1 ? "hangup" : "small") } }
end

def again
  made = long
  TOGETHER.times do
    ask(made, "idle")
    puts "AGAIN"
    $stdin.gets
  end
  ask(made, "small")
end

# An answer that never comes, and no limit for it.
def endless
  puts "STILL"
  made = session
  made.read_timeout = nil
  ask(made.start, "stall")
end

FAULTS = {
  "unread" => -> { hold { begun("large", 0) } },
  "half" => -> { hold { begun("large", PART) } },
  "undrained" => -> { hold { undrained("large") } },
  "undrained-chunks" => -> { hold { undrained("chunked") } },
  "error" => -> { hold { fetch("error") } },
  "idle" => -> { hold { fetch("idle") } },
  "hangup" => -> { hold { fetch("hangup") } },
  "bye" => -> { hold { fetch("bye") } },
  "stall" => -> { asleep("stall") },
  "slow" => -> { asleep("slow") },
  "endless" => -> { endless },
  "churn" => -> { MANY.times { fetch("small").finish } },
  "churn-close" => -> { MANY.times { ask(session, "small") } },
  "retry" => -> { retried },
  "again" => -> { again },
  "healthy" => -> { session.start.tap { |made| MANY.times { ask(made, "small") } } },
}.freeze

kept = FAULTS[fault].call
puts "STILL"
$stdin.gets
FAULTS if kept.nil?
