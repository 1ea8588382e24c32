// node: healthy.js WHAT URL [CA], then at rest. URL is that of a path of patient_server.py where it
// says how long something takes, else of the server.
'use strict';
const fs = require('fs');
const { once } = require('events');
const http2 = require('http2');
const { setTimeout: sleep } = require('timers/promises');

const [what, base, ca] = process.argv.slice(2);
const http = base.startsWith('https:') ? require('https') : require('http');
const trusted = ca ? { ca: fs.readFileSync(ca) } : {};
const agent = new http.Agent({ keepAlive: true, ...trusted });

process.on('unhandledRejection', (error) => { console.error(error); process.exit(1); });

async function get(path = '/small', size = 5, how = {}) {
  const [response] = await once(http.get(base + path, { agent, ...how }), 'response');
  let length = 0;
  response.on('data', (data) => { length += data.length; });
  await once(response, 'end');
  if (length !== size) throw new Error(`${path}: ${length}`);
}

async function steadily(pause, ...how) {
  for (;;) {
    await get(...how);
    await sleep(pause);
  }
}

function eight() {
  return Promise.all(Array.from({ length: 8 }, () => get('/wait/300', 6)));
}

// Resolves when the first bytes have come; all others are read, too.
async function stream() {
  const [response] = await once(http.get(base, { agent }), 'response');
  response.on('data', () => {});
  await once(response, 'data');
}

// The same, with pauses in which nothing is read.
async function paused() {
  const [response] = await once(http.get(base, { agent }), 'response');
  response.on('data', () => { response.pause(); setTimeout(() => response.resume(), 400); });
  await once(response, 'data');
}

// A request's pieces, one after another, for ever.
async function upload() {
  const request = http.request(base, { method: 'POST', agent });
  request.on('response', (response) => response.resume());
  setInterval(() => request.write('p'.repeat(100)), 150);
  await once(request, 'socket');
}

async function session2() {
  const session = http2.connect(base, trusted);
  session.on('error', (error) => { throw error; });
  for (let i = 0; i < 3; i++) {
    const stream = session.request({ ':path': '/small' });
    stream.resume();
    await once(stream, 'end');
    await sleep(100);
  }
  return session;
}

const does = {
  sequential: async () => { for (let i = 0; i < 5; i++) { await get(); await sleep(100); } },
  burst: async () => { await eight(); await eight(); steadily(100); },
  lull: eight,
  busy: async () => { await get('/page', 100000); steadily(50, '/page', 100000); },
  poll: async () => { steadily(50, '', 6); },
  stream,
  paused,
  upload,
  h2: session2,
  h2two: async () => { await session2(); await session2(); },
};

async function main() {
  await does[what]();
  console.log('READY');
  process.stdin.on('data', () => process.exit(0)).on('end', () => process.exit(0));
}

main();
