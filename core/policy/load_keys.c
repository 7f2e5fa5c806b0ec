/* SPDX-License-Identifier: MIT */
/* Every key of a policy that is the core's own: its type, its bounds, what holds without it, what it does. */
#include "core/policy/load.h"

#define MAX_MS 86400000 /* a day */
#define MAX_BYTES (1 << 30)

#define IN(type, member) \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)

const char *const weft_load_fault_words[] = { "expired", "not_yet_valid", "wrong_host",
	"unknown_ca", "self_signed", "revoked", "weak", "malformed", NULL };
static const char *const share_words[] = { "alone", "pool", NULL };
static const char *const hold_words[] = { "connection", "stream", "policy", NULL };
static const char *const date_words[] = { "always", "once_clock_set", NULL };

const struct weft_load_key weft_load_top_keys[] = {
	{ .key = { "schema_version", WEFT_POLICY_NUMBER, 1, WEFT_POLICY_SCHEMA, NULL, NULL,
		  "The version of this format; this one is 1." } },
	{ .key = { "product", WEFT_POLICY_TEXT, 0, 0, NULL, "\"\"", "What the policy is for." },
		IN(weft_policy, product) },
	{ .key = { "release", WEFT_POLICY_TEXT, 0, 0, NULL, "\"\"", "Which state of it this is." },
		IN(weft_policy, release) },
	{ .key = { "retry", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "Ways to try again, by name. They act with secure streams." } },
	{ .key = { "certs", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "Certificates, by name: what trust stores are made of." } },
	{ .key = { "trust_stores", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "Whom streams believe, by name." } },
	{ .key = { "credentials", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "Who we are to a server that asks, by name." } },
	{ .key = { "streams", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "The streams, by the names that applications open them by." } },
	{ .key = { .name = NULL } },
};

const struct weft_load_key weft_load_retry_keys[] = {
	{ .key = { "backoff_ms", WEFT_POLICY_NUMBERS, 0, MAX_MS, NULL, NULL,
		  "How long to wait before each further attempt; the last one holds for all that "
		  "follow." } },
	{ .key = { "conceal", WEFT_POLICY_NUMBER, 0, 1000, NULL, "0",
		  "Attempts that the application does not hear of." },
		IN(weft_policy_retry, conceal) },
	{ .key = { "jitter_percent", WEFT_POLICY_NUMBER, 0, 100, NULL, "0",
		  "By how much chance makes a wait longer, at most." },
		IN(weft_policy_retry, jitter_percent) },
	{ .key = { "validity_ping_ms", WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "0: never",
		  "After so long without a sign of life the peer is asked for one." },
		IN(weft_policy_retry, validity_ping_ms) },
	{ .key = { "validity_hangup_ms", WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "0: never",
		  "After so long without a sign of life the connection is given up." },
		IN(weft_policy_retry, validity_hangup_ms) },
	{ .key = { .name = NULL } },
};

const struct weft_load_key weft_load_cert_keys[] = {
	{ .key = { "pem_file", WEFT_POLICY_TEXT, 0, 0, NULL, "one of the three",
		  "A file of one or more certificates in PEM, beside the policy." } },
	{ .key = { "der_file", WEFT_POLICY_TEXT, 0, 0, NULL, "one of the three",
		  "A file of one certificate in DER, beside the policy." } },
	{ .key = { "der_base64", WEFT_POLICY_TEXT, 0, 0, NULL, "one of the three",
		  "One certificate in DER, in base64." } },
	{ .key = { .name = NULL } },
};

const struct weft_load_key weft_load_trust_keys[] = {
	{ .key = { "certs", WEFT_POLICY_TEXTS, 0, 0, NULL, "none",
		  "The certificates of the authorities that are believed, by their names in "
		  "certs." } },
	{ .key = { "system", WEFT_POLICY_FLAG, 0, 0, NULL, "false",
		  "Believe what the system believes, besides certs." },
		IN(weft_policy_trust, system) },
	{ .key = { "crl_file", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		  "A file of revocation lists, PEM or one in DER, beside the policy." } },
	{ .key = { "pins_sha256", WEFT_POLICY_TEXTS, 0, 0, NULL, "any key",
		  "Besides a valid chain, the server must have one of these keys: SHA-256 of its "
		  "SubjectPublicKeyInfo in base64, 16 at most." } },
	{ .key = { "verify_dates", WEFT_POLICY_CHOICE, 0, 0, date_words, "always",
		  "Whether certificates' dates count while the clock has never been set." },
		IN(weft_policy_trust, verify_dates) },
	{ .key = { "hold", WEFT_POLICY_CHOICE, 0, 0, hold_words, "connection",
		  "Who keeps the vhost with its parsed certificates: a connection, each stream "
		  "from its opening on, "
		  "or the policy as long as it is in use (loaded policies only)." },
		IN(weft_policy_trust, hold) },
	{ .key = { "linger_ms", WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "0",
		  "How long the vhost stays when nobody keeps it any more." },
		IN(weft_policy_trust, linger_ms) },
	{ .key = { "keep_tickets", WEFT_POLICY_NUMBER, 0, 64, NULL, "0",
		  "How many TLS sessions may still be resumed when the vhost is gone." },
		IN(weft_policy_trust, keep_tickets) },
	{ .key = { .name = NULL } },
};

const struct weft_load_key weft_load_credential_keys[] = {
	{ .key = { "cert", WEFT_POLICY_TEXT, 0, 0, NULL, NULL,
		  "The certificate chain in PEM, leaf first: app:NAME, which the application "
		  "provides, or file:PATH, read "
		  "when it is needed." },
		IN(weft_policy_credential, cert) },
	{ .key = { "key", WEFT_POLICY_TEXT, 0, 0, NULL, NULL,
		  "Its private key, likewise; the application may provide something that signs "
		  "instead." },
		IN(weft_policy_credential, key) },
	{ .key = { .name = NULL } },
};

#define TIME(name_, what_)                                                                         \
	{                                                                                          \
		.key = { #name_, WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "0: the context's", what_ }, \
		IN(weft_policy_stream, name_)                                                      \
	}

const struct weft_load_key weft_load_stream_keys[] = {
	{ .key = { "endpoint", WEFT_POLICY_TEMPLATE, 0, 0, NULL, NULL,
		  "A host name, an address, or unix:/path of a socket." },
		IN(weft_policy_stream, endpoint) },
	{ .key = { "port", WEFT_POLICY_NUMBER, 1, 65535, NULL, "the protocol's default",
		  "The port at the endpoint." },
		IN(weft_policy_stream, port) },
	{ .key = { "protocol", WEFT_POLICY_TEXT, 0, 0, NULL, "auto",
		  "The role that speaks to the server; auto: whichever of HTTP the server agrees "
		  "to." } },
	{ .key = { "tls", WEFT_POLICY_FLAG, 0, 0, NULL, "true",
		  "Whether the connection is encrypted." },
		IN(weft_policy_stream, tls) },
	{ .key = { "trust_store", WEFT_POLICY_TEXT, 0, 0, NULL, "the system's",
		  "Whom the stream believes, by its name in trust_stores." } },
	{ .key = { "credential", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		  "Who we are, by its name in credentials." } },
	{ .key = { "allow", WEFT_POLICY_TEXTS, 0, 0, weft_load_fault_words, "none",
		  "Faults of the server's certificate that are not held against it. Each use is "
		  "logged." } },
	{ .key = { "sni", WEFT_POLICY_TEXT, 0, 0, NULL, "the endpoint",
		  "The name that the server is asked for in the handshake." },
		IN(weft_policy_stream, sni) },
	{ .key = { "alpn", WEFT_POLICY_TEXTS, 1, 32, NULL, "what the protocol's roles offer",
		  "The protocols that are offered in the handshake, in order of preference." } },
	{ .key = { "share", WEFT_POLICY_CHOICE, 0, 0, share_words, "pool",
		  "Whether it may use a connection together with other streams to the same "
		  "place." },
		IN(weft_policy_stream, share) },
	{ .key = { "local_address", WEFT_POLICY_TEXT, 0, 0, NULL, "any",
		  "The address of this machine that connections come from." },
		IN(weft_policy_stream, local_address) },
	{ .key = { "proxy", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		  "http://HOST:PORT or socks5://HOST:PORT to connect through." },
		IN(weft_policy_stream, proxy) },
	{ .key = { "keep_warm_ms", WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "the context's",
		  "How long the connection stays open behind the last stream; 0: not at all." },
		IN(weft_policy_stream, keep_warm_ms) },
	{ .key = { "warm_holds", WEFT_POLICY_FLAG, 0, 0, NULL, "true",
		  "Whether such an idle connection keeps the vhost with its parsed certificates." },
		IN(weft_policy_stream, warm_holds) },
	{ .key = { "coalesce", WEFT_POLICY_FLAG, 0, 0, NULL, "false",
		  "Whether another host's connection will do, if its certificate is for both." },
		IN(weft_policy_stream, coalesce) },
	TIME(connect_ms, "How long connecting to one address may take."),
	TIME(handshake_ms, "How long the TLS handshake may take."),
	TIME(header_ms, "How long a response may keep us waiting for its head."),
	TIME(idle_ms, "How long nothing may move."),
	TIME(flush_ms, "How long the peer may take no output."),
	TIME(queue_ms, "How long it may wait for a connection."),
	{ .key = { "timeout_ms", WEFT_POLICY_NUMBER, 0, MAX_MS, NULL, "0: no limit",
		  "How long all of it may take, waiting included." },
		IN(weft_policy_stream, timeout_ms) },
	{ .key = { "window_bytes", WEFT_POLICY_NUMBER, 0, MAX_BYTES, NULL, "0: the context's",
		  "How much may have arrived that the application has not taken." },
		IN(weft_policy_stream, window_bytes) },
	{ .key = { "write_high_bytes", WEFT_POLICY_NUMBER, 0, MAX_BYTES, NULL, "0: the context's",
		  "How much may be written that no connection has taken." },
		IN(weft_policy_stream, write_high_bytes) },
	{ .key = { "max_in_flight_bytes", WEFT_POLICY_NUMBER, 0, MAX_BYTES, NULL, "0: no limit",
		  "The same of all streams of this name together." },
		IN(weft_policy_stream, max_in_flight_bytes) },
	{ .key = { "metadata", WEFT_POLICY_OBJECT, 0, 0, NULL, "none",
		  "What applications say at the opening, or read from the response, by name." } },
	{ .key = { "retry", WEFT_POLICY_TEXT, 0, 0, NULL, "none",
		  "How it is tried again, by its name in retry. Acts with secure streams." } },
	{ .key = { "nailed_up", WEFT_POLICY_FLAG, 0, 0, NULL, "false",
		  "Connected again whenever the connection ends. Acts with secure streams." },
		IN(weft_policy_stream, nailed_up) },
	{ .key = { "opportunistic", WEFT_POLICY_FLAG, 0, 0, NULL, "false",
		  "Not connected before there is something to send. Acts with secure streams." },
		IN(weft_policy_stream, opportunistic) },
	{ .key = { .name = NULL } },
};
