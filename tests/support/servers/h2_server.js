// SPDX-License-Identifier: MIT
// Node's http2: the files of a folder, /echo, /trailers, /reset, /early and /away. Without TLS by prior knowledge.
// h2_server.js PLAIN_PORT TLS_PORT CERT KEY ROOT LOG
'use strict';
const fs = require('fs');
const http2 = require('http2');
const path = require('path');
const { pipeline } = require('stream');

const [plain, tls, cert, key, root, log] = process.argv.slice(2);
const AWAY = 5;
let sessions = 0, refuses = false;

// Every other session takes the first of AWAY streams, and goes away: the others it did not process.
function away(stream) {
	const session = stream.session;
	if (!session.waiting) {
		session.waiting = [];
		session.refuses = refuses = !refuses;
	}
	session.waiting.push(stream);
	if (!session.refuses)
		return stream.respond({ ':status': 200 }, { endStream: true });
	if (session.waiting.length < AWAY)
		return;
	session.waiting[0].respond({ ':status': 200 }, { endStream: true });
	session.goaway(http2.constants.NGHTTP2_NO_ERROR, session.waiting[0].id);
}

function file(stream, name, method) {
	const where = path.join(root, path.basename(name));
	if (!fs.existsSync(where))
		return stream.respond({ ':status': 404 }, { endStream: true });
	const fields = { ':status': 200, 'content-length': fs.statSync(where).size };
	if (method === 'HEAD')
		return stream.respond(fields, { endStream: true });
	return stream.respondWithFile(where, fields);
}

function answer(stream, headers) {
	stream.on('error', () => {});
	fs.appendFileSync(log, `conn=${stream.session.number} method=${headers[':method']} path=${headers[':path']}\n`);
	switch (headers[':path']) {
	case '/echo':
		stream.respond({ ':status': 200 });
		return pipeline(stream, stream, () => {});
	case '/trailers':
		stream.respond({ ':status': 200 }, { waitForTrailers: true });
		stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
		return stream.end('with trailers');
	case '/reset':
		return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
	case '/early': // RFC 8297
		stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
		stream.respond({ ':status': 200 });
		return stream.end('late');
	case '/away':
		return away(stream);
	default:
		return file(stream, headers[':path'], headers[':method']);
	}
}

const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), maxSessionMemory: 1000 };
for (const [server, port] of [[http2.createServer(options), plain], [http2.createSecureServer(options), tls]]) {
	server.on('session', (session) => {
		session.number = ++sessions;
		session.on('error', () => {});
	});
	server.on('stream', answer).listen(+port, '127.0.0.1');
}
