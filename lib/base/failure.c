#include "base/failure.h"

#include <assert.h>

static const struct {
    const char *word;
    int status;
} rows[GD_FAILURES] = {{"ok", 200},
#define X(id, word, status, help) {word, status},
                       GD_FAILURE_ROWS(X)
#undef X
};

const char *gd_failure_word(enum gd_failure failure)
{
    assert(failure < GD_FAILURES);
    return rows[failure].word;
}

int gd_failure_status(enum gd_failure failure)
{
    assert(failure < GD_FAILURES);
    return rows[failure].status;
}
