// http and its agents: the fault that is named is done, and the program stands still.
//
//     http_node.js URL FAULT
//
// What is read is printed: it is the same without the guard. What a fault returns outlives it.
'use strict';
const http = require('http');
const readline = require('readline');
const { once } = require('events');
const { setTimeout: pause } = require('timers/promises');

const [url, fault] = process.argv.slice(2);
const LEAKS = 5, MANY = 100, PART = 100000, TOGETHER = 4, ROUNDS = 40;
const agent = new http.Agent({ keepAlive: true });

async function ask(page, how = { agent }) {
  const [response] = await once(http.get(`${url}/${page}`, how), 'response');
  console.log(response.statusCode);
  return response;
}

async function part(page) {
  const response = await ask(page);
  let read = 0;
  do {
    await once(response, 'readable');
    read += (response.read() || '').length;
  } while (read < PART);
  return response;
}

async function undrained(page) {
  const response = await part(page);
  response.destroy();
  await once(response, 'close');
}

async function fetch(page, how) {
  let read = 0;
  for await (const data of await ask(page, how))
    read += data.length;
  console.log(read);
}

// So many results of a step, some time apart: each lies idle for more than a tenth of leak_after.
async function hold(count, step) {
  const kept = [];
  for (let i = 0; i < count; i++) {
    kept.push(await step());
    await pause(50);
  }
  return kept;
}

async function many(step) {
  for (let i = 0; i < MANY; i++)
    await step();
}

async function asleep(page) {
  console.log('STILL');
  await fetch(page);
}

const together = (page, how) =>
  Promise.all(Array.from({ length: TOGETHER }, () => fetch(`${page}/${TOGETHER}`, how)));

async function smallPool() {
  const how = { agent: new http.Agent({ keepAlive: true, maxFreeSockets: 1 }) };
  for (let i = 0; i < ROUNDS; i++)
    await together('together', how);
  return how;
}

const faults = {
  'unread': () => hold(LEAKS, () => ask('large')),
  'half': () => hold(LEAKS, () => part('large')),
  'undrained': () => hold(LEAKS, () => undrained('large')),
  'undrained-chunks': () => hold(LEAKS, () => undrained('chunked')),
  'error': () => hold(LEAKS, () => ask('error')),
  'error-many': () => hold(MANY * 0.6, () => ask('error')),
  'hangup': () => hold(LEAKS, () => ask('hangup')),
  'stall': () => asleep('stall'),
  'slow': () => asleep('slow'),
  'churn': () => many(() => fetch('small', { agent: false })),
  'churn-bye': () => many(() => fetch('bye')),
  'small-pool': () => smallPool(),
  'idle': () => together('together-idle', { agent }),
  'healthy': () => many(() => fetch('small')),
};

async function main() {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const kept = await faults[fault]();
  console.log('STILL');
  await lines.next();
  process.exit(kept === false ? 1 : 0);
}

main();
