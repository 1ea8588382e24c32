// https with a keep-alive agent: responses consumed, sockets kept.
'use strict';
const fs = require('fs');
const https = require('https');
const readline = require('readline');
const { once } = require('events');

async function main(ca, servername, host, ...ports) {
  const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const agent = new https.Agent({ keepAlive: true, ca: fs.readFileSync(ca) });
  const sockets = [];
  for (const port of ports) {
    const request = https.get({ host, servername, port, path: '/page', agent });
    const [response] = await once(request, 'response');
    sockets.push(response.socket);
    response.resume();
    await once(response, 'end');
  }
  console.log('READY');
  await lines.next();
  await Promise.all(sockets.map((socket) => { socket.destroy(); return once(socket, 'close'); }));
  console.log('CLOSED');
  await lines.next();
  process.stdin.destroy();
}

main(...process.argv.slice(2));
