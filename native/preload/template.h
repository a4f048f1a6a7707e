/*
 * The fork server that a php-cgi becomes when it first calls accept(2).
 * Privilege: the site's user. It hears orders from the master only.
 */
#ifndef GUISE_TEMPLATE_H
#define GUISE_TEMPLATE_H

/* Does not return in the template; returns in each worker that it forks. */
void template_serve(void);

#endif
