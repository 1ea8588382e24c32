# Ruby's Net::HTTP with sessions that stay: healthy.rb WHAT URL [CA], then at rest.
require "net/http"
require "uri"

WHAT, BASE, CA = ARGV
PAUSE = 0.1

def session
  uri = URI(BASE)
  http = Net::HTTP.new(uri.host, uri.port)
  http.keep_alive_timeout = 600
  http.read_timeout = 600
  if CA
    http.use_ssl = true
    http.ca_file = CA
  end
  http.start
end

def get(http, path = "/small", expected = "small")
  body = http.get(path).body
  body == expected or abort("#{path}: #{body.inspect}")
end

def use(http)
  3.times { get(http) }
end

def steadily(pause = 0.1)
  Thread.new { loop { yield; sleep pause } }.abort_on_exception = true
end

# A pool by hand: the last one used is the first one taken.
IDLE = Queue.new
def pooled(path, expected)
  http = IDLE.pop(true) rescue session
  get(http, path, expected)
  IDLE << http
end

kept = case WHAT
when "sequential"
  session.tap { |http| 5.times { get(http); sleep PAUSE } }
when "burst"
  8.times.map { Thread.new { pooled("/wait/300", "waited") } }.each(&:join)
  steadily { pooled("/small", "small") }
when "busy"
  http = session
  steadily(0.05) { get(http, "/page", "x" * 100_000) }
when "poll"
  http = session
  steadily { get(http, "/wait/5000", "waited") }
when "per-thread"
  5.times.map do
    done = Queue.new
    thread = Thread.new { http = session; use(http); done << true; sleep }
    done.pop
    sleep PAUSE
    thread
  end
when "two"
  2.times.map { session.tap { |one| use(one); sleep PAUSE } }
when "answers"
  session.tap do |one|
    one.head("/page").code == "200" or abort
    %w[/none /same /empty /gone /chunked /trailers /page].each { |path| one.get(path) }
    one.head("/small")
  end
end
$stdout.sync = true
puts "READY"
$stdin.gets
