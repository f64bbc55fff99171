/*
 * The event and epoll descriptors and the pipes of a Node are shared by its forks. With one of them, a program could
 * wake the zygote's threads, tell them what to do, or reach a later program.
 */
#ifndef PRELOAD_RENEW_DESCRIPTORS_H
#define PRELOAD_RENEW_DESCRIPTORS_H

/* Notes the descriptors from the third on. Ends the process if there is one of an unknown kind. */
void descriptors_note_shared(void);

/* Gives the noted ones that are still shared new objects, in a fork. Ends the process if one cannot be renewed. */
void descriptors_renew(void);

#endif
