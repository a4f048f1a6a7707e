/*
 * The memory of a template, arranged so that a fork copies little of it and an
 * end gives little back: both cost by the page and by the area. PHP notices
 * nothing of it, and what cannot be arranged stays as it is.
 * docs/decisions/0034-the-image-of-a-template.md. Privilege: the site's user.
 */
#ifndef GUISE_IMAGE_H
#define GUISE_IMAGE_H

/* Before PHP starts: what it is going to put on the heap begins where a huge page does. */
void image_prepare(void);

/* When PHP has started, before the first fork. */
void image_arrange(void);

#endif
