/* list_test.c -- doubly linked lists. */
#include "base/list.h"

#include <string.h>

#include "unit/unit.h"

struct item {
	char name;
	struct list link;
};

static void
add(struct list *head, struct item *items, const char *names)
{
	for (; *names != '\0'; names++, items++) {
		items->name = *names;
		list_add(head, &items->link);
	}
}

static int
is(const struct list *head, const char *want)
{
	char forth[20] = "", back[20] = "";
	size_t n = 0;

	for (const struct list *l = head->next; l != head; l = l->next)
		forth[n++] = container_of(l, const struct item, link)->name;
	for (const struct list *l = head->prev; l != head; l = l->prev)
		back[--n] = container_of(l, const struct item, link)->name;
	return strcmp(forth, want) == 0 && strcmp(back, want) == 0;
}

static void
elements_stand_in_the_order_of_adding(void)
{
	struct list head;
	struct item items[3];

	list_init(&head);
	CU_ASSERT(list_empty(&head));
	CU_ASSERT_PTR_NULL(list_first(&head, struct item, link));
	add(&head, items, "abc");
	CU_ASSERT(is(&head, "abc"));
	CU_ASSERT_PTR_EQUAL(list_first(&head, struct item, link), &items[0]);
}

static void
del_twice_is_harmless(void)
{
	struct list head;
	struct item items[3];

	list_init(&head);
	add(&head, items, "abc");
	list_del(&items[1].link);
	list_del(&items[1].link);
	CU_ASSERT(list_empty(&items[1].link));
	CU_ASSERT(is(&head, "ac"));
}

static void
each_lets_the_body_take_out_the_element(void)
{
	struct list head;
	struct item items[5];

	list_init(&head);
	add(&head, items, "abcde");
	list_each(it, &head)
		if (container_of(it, struct item, link)->name % 2 == 1)
			list_del(it);
	CU_ASSERT(is(&head, "bd"));
	list_each(it, &head)
		list_del(it);
	CU_ASSERT(list_empty(&head));
}

static void
move_all_appends_in_order(void)
{
	struct list a, b;
	struct item ia[2], ib[2];

	list_init(&a);
	list_init(&b);
	add(&a, ia, "ab");
	list_move_all(&a, &b);
	CU_ASSERT(is(&a, "ab"));
	add(&b, ib, "cd");
	list_move_all(&a, &b);
	CU_ASSERT(is(&a, "abcd"));
	CU_ASSERT(list_empty(&b));
	list_move_all(&b, &a);
	CU_ASSERT(is(&b, "abcd"));
	CU_ASSERT(list_empty(&a));
}

const struct unit_test list_tests[] = {
	UNIT(elements_stand_in_the_order_of_adding),
	UNIT(del_twice_is_harmless),
	UNIT(each_lets_the_body_take_out_the_element),
	UNIT(move_all_appends_in_order),
	UNIT_END
};
