/* SPDX-License-Identifier: MIT */
/* A client's role that is ready some time after it began; an exchange is over as soon as it may begin. */
#include "tests/support/late_role.h"

#include "weft/plugin/role.h"

unsigned late_failing_attaches;
bool late_never_ready;
unsigned late_unprocessed;

struct late {
	struct weft_pipe *pipe;
	const struct weft_allocator *alloc;
	struct weft_stream *stream;
	bool ready;
};

static enum weft_status late_attach(
	const struct weft_role_attach *attach, void **state, struct weft_error *err)
{
	struct late *l;

	if (late_failing_attaches) {
		late_failing_attaches--;
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for this role");
	}
	l = weft_zalloc(attach->alloc, sizeof(*l));
	if (!l)
		return weft_error_set(err, WEFT_ERR_MEMORY, 0, "no memory for this role");
	l->pipe = attach->pipe;
	l->alloc = attach->alloc;
	weft_pipe_deadline(l->pipe, weft_pipe_now(l->pipe) + 5000);
	*state = l;
	return WEFT_OK;
}

static void late_detach(void *state, const struct weft_error *why)
{
	struct late *l = state;

	if (l->stream)
		weft_role_closed(l->stream, WEFT_CAUSE_UNSENT, why);
	weft_free(l->alloc, l, sizeof(*l));
}

static enum weft_status late_input(void *state, uint32_t port, const unsigned char *bytes,
	size_t len, bool fin, size_t *used, struct weft_error *err)
{
	(void)port;
	(void)bytes;
	(void)err;
	*used = len;
	if (fin)
		weft_pipe_close(((struct late *)state)->pipe);
	return WEFT_OK;
}

/* An exchange is over as soon as it may begin. */
static enum weft_status late_output(void *state, struct weft_error *err)
{
	struct late *l = state;
	struct weft_stream *s = l->stream;

	(void)err;
	l->stream = NULL;
	if (s && late_unprocessed) {
		late_unprocessed--;
		weft_role_closed(s, WEFT_CAUSE_UNPROCESSED, NULL);
	} else if (s) {
		weft_role_fin(s);
		weft_role_closed(s, WEFT_CAUSE_DONE, NULL);
	}
	return WEFT_OK;
}

static enum weft_status late_tick(void *state, uint64_t now_us, struct weft_error *err)
{
	struct late *l = state;

	(void)now_us;
	(void)err;
	l->ready = !late_never_ready;
	if (late_never_ready)
		weft_pipe_close(l->pipe);
	weft_role_capacity_changed(l->pipe);
	return WEFT_OK;
}

static unsigned late_capacity(void *state)
{
	const struct late *l = state;

	return l->ready && !l->stream;
}

static enum weft_status late_open(void *state, struct weft_stream *s, struct weft_error *err)
{
	struct late *l = state;

	(void)err;
	l->stream = s;
	weft_pipe_want_output(l->pipe);
	return WEFT_OK;
}

static void late_ready(void *state, struct weft_stream *s)
{
	(void)s;
	weft_pipe_want_output(((struct late *)state)->pipe);
}

static void late_credit(void *state, struct weft_stream *s, size_t n)
{
	(void)state;
	(void)s;
	(void)n;
}

static void late_reset(void *state, struct weft_stream *s)
{
	(void)s;
	((struct late *)state)->stream = NULL;
}

static const struct weft_role_ops late_ops = {
	.size = sizeof(late_ops),
	.attach = late_attach,
	.detach = late_detach,
	.input = late_input,
	.output = late_output,
	.tick = late_tick,
	.capacity = late_capacity,
	.open = late_open,
	.ready = late_ready,
	.credit = late_credit,
	.reset = late_reset,
};

static const struct weft_scheme late_schemes[] = { { .name = "late", .port = 1 },
	{ .name = NULL } };

static const struct weft_role late_role = {
	.size = sizeof(late_role),
	.caps = WEFT_ROLE_CLIENT,
	.schemes = late_schemes,
	.input_limit = 65536,
	.ops = &late_ops,
};

const struct weft_plugin late_plugin = {
	WEFT_PLUGIN_HEAD,
	.kind = WEFT_PLUGIN_ROLE,
	.name = "late",
	.version = "1",
	.role = &late_role,
};
