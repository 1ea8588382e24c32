// net: plain sockets, paused.
'use strict';
const net = require('net');
const readline = require('readline');
const { once } = require('events');

async function main(host, port) {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const sockets = Array.from({ length: 5 }, () => net.connect(Number(port), host));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  console.log('READY');
  await lines.next();
  await Promise.all(sockets.map((socket) => { socket.destroy(); return once(socket, 'close'); }));
  console.log('CLOSED');
  await lines.next();
  process.stdin.destroy();
}

main(process.argv[2], process.argv[3]);
