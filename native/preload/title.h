/* The process's name as ps shows it. */
#ifndef GUISE_TITLE_H
#define GUISE_TITLE_H

/* Remembers where argv lies; to be called before anything changes the environment. */
void title_init(int argc, char **argv);

/* Sets "guise: ROLE SITE"; cut to the room that argv had. */
void title_set(const char *role, const char *site_name);

#endif
