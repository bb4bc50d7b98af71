/*
 * The installer.
 */
#include "check.h"
#include "fixture.h"

static void whole_update(void)
{
    struct fixture f;
    struct tandem_boot boot;
    struct package old = fixture_package(1), new = fixture_package(2);
    fixture_open(&f, NULL);
    fixture_factory(&f, 0, &old);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_FIRST);
    CHECK_EQUAL(boot.bank, 0);
    CHECK_EQUAL(fixture_update(&f, &new, 1), TANDEM_STATE_PENDING);
    CHECK_EQUAL(tandem_install_outcome(&f.install)->status, TANDEM_OK);
    CHECK(fixture_holds(&f, 1, TANDEM_KIND_APPLICATION, &new));
    CHECK(fixture_holds(&f, 1, TANDEM_KIND_STACK, &new));
    CHECK(fixture_holds(&f, 1, TANDEM_KIND_DATA, &new));
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_TRIAL);
    CHECK_EQUAL(boot.bank, 1);
    CHECK_EQUAL(boot.version.major, 2);
    CHECK_EQUAL(fixture_confirm(&f), TANDEM_OK);
    CHECK_EQUAL(fixture_boot(&f, &boot), TANDEM_OK);
    CHECK_EQUAL(boot.reason, TANDEM_BOOT_CONFIRMED);
    CHECK_EQUAL(boot.bank, 1);
    fixture_close(&f);
    package_free(&old);
    package_free(&new);
}

int main(void)
{
    RUN(whole_update);
    return check_report();
}
