// SPDX-License-Identifier: MIT
// Node's http and https: the files of a folder, and /echo, /chunked, /moved, /close.
// server.js PLAIN_PORT TLS_PORT CERT KEY ROOT LOG IDLE_MS
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const path = require('path');
const zlib = require('zlib');
const { pipeline } = require('stream');

const [plain, tls, cert, key, root, log, idle] = process.argv.slice(2);
let sockets = 0;

function tell(request, response) {
	const socket = request.socket;
	const secure = socket.encrypted;
	const words = [`conn=${socket.number}`, `status=${response.statusCode}`,
		`method=${request.method}`, `path=${request.url}`,
		`reused=${secure && socket.isSessionReused() ? 'r' : '.'}`,
		`version=${secure ? socket.getProtocol() : ''}`,
		`alpn=${(secure && socket.alpnProtocol) || ''}`];
	fs.appendFileSync(log, words.join(' ') + '\n');
}

function file(request, response, name) {
	const where = path.join(root, path.basename(name));
	if (!fs.existsSync(where)) {
		response.writeHead(404, { 'Content-Length': 0 });
		return response.end();
	}
	const size = fs.statSync(where).size;
	const etag = `"${size}"`;
	if (request.headers['if-none-match'] === etag) {
		response.writeHead(304, { ETag: etag });
		return response.end();
	}
	const fields = { ETag: etag };
	if (/gzip/.test(request.headers['accept-encoding'] || '')) {
		fields['Content-Encoding'] = 'gzip';
		response.writeHead(200, fields);
		return pipeline(fs.createReadStream(where), zlib.createGzip(), response, () => {});
	}
	const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range || '');
	const at = range ? { start: +range[1], end: +range[2] } : { start: 0, end: size - 1 };
	fields['Content-Length'] = at.end - at.start + 1;
	if (range)
		fields['Content-Range'] = `bytes ${at.start}-${at.end}/${size}`;
	response.writeHead(range ? 206 : 200, fields);
	if (request.method === 'HEAD')
		return response.end();
	return pipeline(fs.createReadStream(where, at), response, () => {});
}

function answer(request, response) {
	response.on('finish', () => tell(request, response));
	switch (request.url) {
	case '/echo':
		return pipeline(request, response, () => {});
	case '/moved':
		response.writeHead(302, { Location: '/page.html', 'Content-Length': 0 });
		return response.end();
	case '/close':
		response.writeHead(200, { Connection: 'close', 'Content-Length': 3 });
		return response.end('bye');
	case '/early': // hints first, RFC 8297
		response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' });
		return response.end('late');
	case '/chunked':
		return pipeline(fs.createReadStream(path.join(root, 'page.html'),
			{ highWaterMark: 1000 }), response, () => {});
	default:
		return file(request, response, request.url);
	}
}

const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key), keepAliveTimeout: +idle };
const servers = [http.createServer({ keepAliveTimeout: +idle }, answer),
	https.createServer({ ...options, ALPNProtocols: ['http/1.1'] }, answer)];
const number = (socket) => { socket.number = ++sockets; };
servers[0].on('connection', number).listen(+plain, '127.0.0.1');
servers[1].on('secureConnection', number).listen(+tls, '127.0.0.1');
