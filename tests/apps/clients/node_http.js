// http with a keep-alive agent: responses that nobody consumes.
'use strict';
const http = require('http');
const readline = require('readline');
const { once } = require('events');

async function main(host, port) {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const agent = new http.Agent({ keepAlive: true });
  const sockets = [];
  for (let i = 0; i < 5; i++) {
    const [response] = await once(http.get({ host, port, path: '/large', agent }), 'response');
    sockets.push(response.socket);
  }
  console.log('READY');
  await lines.next();
  await Promise.all(sockets.map((socket) => { socket.destroy(); return once(socket, 'close'); }));
  console.log('CLOSED');
  await lines.next();
  process.stdin.destroy();
}

main(process.argv[2], process.argv[3]);
