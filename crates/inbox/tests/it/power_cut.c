/*
 * Simulates a disk that loses what was not synced. Preloaded into a process, it keeps a copy of each file below
 * POWER_CUT_DISK as it was when it was last synced, in POWER_CUT_SYNCED. What a power cut leaves are the copies with a
 * file NAME.linked beside them: those whose directory was synced after they were created.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  _exit(70);
}

static int create(const char *folder, const char *name, const char *suffix) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/%s%s", folder, name, suffix);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) fail(path);
  return fd;
}

static const char linked[] = ".linked";

/* What has been removed since, stays removed. */
static void keep_names(const char *directory, const char *synced) {
  DIR *entries = opendir(synced);
  if (entries == NULL) fail(synced);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
    if (strstr(entry->d_name, linked) != NULL) unlinkat(dirfd(entries), entry->d_name, 0);
  closedir(entries);

  entries = opendir(directory);
  if (entries == NULL) fail(directory);
  for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
    if (entry->d_type == DT_REG) close(create(synced, entry->d_name, linked));
  closedir(entries);
}

static void keep_content(const char *path, const char *synced) {
  const char *name = strrchr(path, '/') + 1;
  int from = open(path, O_RDONLY), to = create(synced, name, ".copy");
  if (from < 0) fail(path);
  ssize_t sent;
  while ((sent = sendfile(to, from, NULL, 1 << 20)) > 0) {
  }
  if (sent < 0) fail(path);
  close(from);
  close(to);
  /* The process can be killed at any time. */
  char copy[PATH_MAX], whole[PATH_MAX];
  snprintf(copy, sizeof copy, "%s/%s.copy", synced, name);
  snprintf(whole, sizeof whole, "%s/%s", synced, name);
  if (rename(copy, whole) != 0) fail(whole);
}

static int sync_file(const char *function, int fd) {
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
  int result = next(fd);
  const char *disk = getenv("POWER_CUT_DISK"), *synced = getenv("POWER_CUT_SYNCED");
  if (result != 0 || disk == NULL || synced == NULL) return result;

  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) fail(link);
  path[length] = 0;
  if (strncmp(path, disk, strlen(disk)) != 0) return result;

  struct stat status;
  if (fstat(fd, &status) != 0) fail(path);
  if (S_ISDIR(status.st_mode))
    keep_names(path, synced);
  else
    keep_content(path, synced);
  return result;
}

int fsync(int fd) { return sync_file("fsync", fd); }

int fdatasync(int fd) { return sync_file("fdatasync", fd); }
