/*
 * The processes below this one: what scripts start. A subreaper inherits every
 * orphan below it, so nobody leaves the tree by a session of his own, by forking
 * twice, or by killing his parent. Privilege: the site's user.
 */
#ifndef GUISE_TREE_H
#define GUISE_TREE_H

/* From now on orphans below this process become its children. */
void tree_hold(void);

/* Waits for the children that have ended. Returns whether there are others. */
int tree_reap(void);

/* Takes over the list of this process's children (proc_pid_task_tid_children(5)), which a confined process cannot open. */
void tree_list(int fd);

/* A worker has no use for its template's list. */
void tree_forget_list(void);

/* Kills what is below this process, until nothing is left that it may kill. */
void tree_end(void);

#endif
