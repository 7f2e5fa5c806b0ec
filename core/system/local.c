/* SPDX-License-Identifier: MIT */
/* What libraries keep with a context. A few at most: a list is enough. */
#include "core/system/local.h"

#include "core/system/context.h"

struct local {
	struct weft_list node;
	const void *key;
	void *value;
	void (*drop)(void *value);
};

void *weft_context_local(const struct weft_context *ctx, const void *key)
{
	weft_list_each(node, (struct weft_list *)&ctx->locals)
	{
		const struct local *l = weft_container_of(node, struct local, node);

		if (l->key == key)
			return l->value;
	}
	return NULL;
}

enum weft_status weft_context_set_local(
	struct weft_context *ctx, const void *key, void *value, void (*drop)(void *value))
{
	struct local *l = weft_zalloc(&ctx->memory.alloc, sizeof(*l));

	if (!l)
		return WEFT_ERR_MEMORY;
	*l = (struct local){ .key = key, .value = value, .drop = drop };
	weft_list_append(&ctx->locals, &l->node);
	return WEFT_OK;
}

void weft_context_drop_locals(struct weft_context *ctx)
{
	struct weft_list *node;

	while ((node = weft_list_pop(&ctx->locals))) {
		struct local *l = weft_container_of(node, struct local, node);

		if (l->drop)
			l->drop(l->value);
		weft_free(&ctx->memory.alloc, l, sizeof(*l));
	}
}
