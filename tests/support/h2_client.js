// SPDX-License-Identifier: MIT
// Node's http2 as a client of `weft serve`: h2_client.js URL CA; tells what it got as JSON.
'use strict';
const fs = require('fs');
const http2 = require('http2');

const [url, ca] = process.argv.slice(2);
const session = http2.connect(url, ca ? { ca: fs.readFileSync(ca) } : {});

function ask(path, method = 'GET', body = null, trailers = null) {
	return new Promise((resolve, reject) => {
		const stream = session.request({ ':path': path, ':method': method },
			{ endStream: body === null, waitForTrailers: trailers !== null });
		const got = { status: 0, body: '' };
		stream.setEncoding('latin1');
		stream.on('response', (headers) => { got.status = headers[':status']; });
		stream.on('data', (text) => { got.body += text; });
		stream.on('wantTrailers', () => stream.sendTrailers(trailers));
		stream.on('close', () => resolve(got));
		stream.on('error', reject);
		if (body !== null)
			stream.end(body);
	});
}

async function main() {
	const report = { alpn: '' };
	report.hello = (await ask('/hello')).body;
	report.alpn = session.alpnProtocol;
	report.echo = (await ask('/echo', 'POST', 'x'.repeat(3000000))).body.length;
	const head = await ask('/bytes/1000', 'HEAD');
	report.head = [head.status, head.body.length];
	report.trailers = (await ask('/echo', 'POST', 'abc', { 'x-sum': '1' })).body;
	const many = await Promise.all(Array.from({ length: 100 }, () => ask('/bytes/100000')));
	report.together = many.map((got) => got.body.length);
	report.conn = JSON.parse((await ask('/status')).body).connections.map(
		(conn) => [conn.role, conn.served, conn.streams]);
	await new Promise((resolve) => session.ping(resolve));
	await new Promise((resolve) => session.close(resolve));
	console.log(JSON.stringify(report));
}

main().catch((error) => {
	console.error(error);
	process.exit(1);
});
