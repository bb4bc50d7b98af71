/*
 * Groups: all or none before the point of no return, none left behind after
 * it; whichever member fails, and whenever the host dies.
 */
#include "check.h"
#include "link_rig.h"

#define MOST 12

static struct rig_release old_release, new_release, bad_release, stranger_release;

static struct rig_device devices[MOST];
static struct rig_host hosts[MOST];
static struct tandem_update members[MOST];
static struct tandem_group group;
static unsigned count;

static const struct rig_wire_spec plain = {.latency = 5, .mtu = 244, .queue = 4};

static void setup(unsigned size)
{
    unsigned i;

    count = size;
    for (i = 0; i < count; i++) {
        rig_device_make(&devices[i], &old_release, i % 2 ? "R" : "L");
        rig_host_make(&hosts[i], &devices[i], 0, &plain);
    }
}

static void teardown(void)
{
    unsigned i;

    for (i = 0; i < count; i++)
        rig_host_free(&hosts[i]);
}

static void begin(const struct rig_release *release, unsigned parallel)
{
    struct tandem_update_options options = {.attempts = 4};
    struct tandem_group_options wishes = {.parallel = (uint16_t)parallel, .healings = 3};
    unsigned i;

    for (i = 0; i < count; i++)
        tandem_update_init(&members[i], tandem_link_host_target(&hosts[i].link), &release->offer, &options);
    REQUIRE(tandem_group_init(&group, members, (uint16_t)count, &wishes) == TANDEM_OK);
}

static enum tandem_status step(void)
{
    rig_tick(devices, count, hosts, count);
    return tandem_group_poll(&group, rig_now);
}

static enum tandem_status run(uint32_t limit_ms)
{
    enum tandem_status status = TANDEM_AGAIN;

    while (status == TANDEM_AGAIN && limit_ms-- != 0)
        status = step();
    return status;
}

static void pass(uint32_t ms)
{
    while (ms-- != 0)
        rig_tick(devices, count, hosts, count);
}

static void check_all_run(uint16_t version)
{
    unsigned i;

    for (i = 0; i < count; i++)
        CHECK_EQUAL(rig_device_runs(&devices[i]), version);
}

static void test_straight_through(void)
{
    unsigned parallel, size;

    for (size = 1; size <= MOST; size += size < 3 ? 1 : 9) {
        for (parallel = 0; parallel <= size; parallel += size < 3 ? 1 : 5) {
            struct tandem_update_progress progress;

            setup(size);
            begin(&new_release, parallel);
            CHECK_EQUAL(run(120000), TANDEM_OK);
            check_all_run(2);
            CHECK_EQUAL(tandem_group_result(&group)->done, size);
            CHECK_EQUAL(tandem_group_result(&group)->split, 0);
            CHECK_EQUAL(tandem_group_result(&group)->committed, 1);
            CHECK_EQUAL(tandem_group_phase(&group), TANDEM_GROUP_ENDED);
            tandem_group_progress(&group, &progress);
            CHECK_EQUAL(progress.percent, 100);
            CHECK_EQUAL(progress.total, new_release.size * size);
            CHECK_EQUAL(progress.done, progress.total);
            CHECK_EQUAL(progress.stage, TANDEM_STAGE_CONFIRMED);
            CHECK_EQUAL(tandem_group_poll(&group, rig_now), TANDEM_OK);
            /* Again: nothing to do, nothing sent. */
            begin(&new_release, parallel);
            CHECK_EQUAL(run(20000), TANDEM_OK);
            CHECK_EQUAL(members[0].result.already, 1);
            CHECK_EQUAL(hosts[0].link.payload_sent, new_release.size);
            teardown();
        }
    }
    setup(2);
    begin(&new_release, 7); /* more than there are */
    CHECK_EQUAL(run(60000), TANDEM_OK);
    begin(&new_release, 0);
    CHECK_EQUAL(tandem_group_init(&group, members, 2, NULL), TANDEM_OK);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    teardown();
    CHECK_EQUAL(tandem_group_init(&group, NULL, 3, NULL), TANDEM_ERROR_ARGUMENT);
    CHECK_EQUAL(tandem_group_init(&group, members, 0, NULL), TANDEM_ERROR_ARGUMENT);
}

/* One after the other never holds more than one connection, and all wait for each other. */
static void test_order(void)
{
    unsigned parallel;

    for (parallel = 1; parallel <= 3; parallel++) {
        enum tandem_status status = TANDEM_AGAIN;
        enum tandem_group_phase seen = TANDEM_GROUP_CHECKING;
        struct tandem_update_progress progress;
        uint8_t percent = 0;

        setup(3);
        begin(&new_release, parallel);
        while (status == TANDEM_AGAIN) {
            unsigned i, connected = 0, ready = 0, switched = 0;

            status = step();
            for (i = 0; i < count; i++) {
                enum tandem_state state = tandem_install_state(&devices[i].install);

                connected += (unsigned)hosts[i].wire.up_now;
                ready += state >= TANDEM_STATE_VALIDATED;
                switched += state >= TANDEM_STATE_PENDING;
            }
            CHECK(connected <= parallel);
            CHECK(switched == 0 || ready == 3);
            CHECK(tandem_group_phase(&group) >= seen);
            seen = tandem_group_phase(&group);
            tandem_group_progress(&group, &progress);
            CHECK(progress.percent >= percent);
            percent = progress.percent;
        }
        CHECK_EQUAL(status, TANDEM_OK);
        teardown();
    }
}

/* A member that cannot: nothing is sent to the others. */
static void test_unfit_member(void)
{
    unsigned which;

    for (which = 0; which < 2; which++) {
        setup(2);
        begin(&new_release, 0);
        hosts[which].wire.barred = 1;
        CHECK_EQUAL(run(60000), TANDEM_ERROR_TIMEOUT);
        CHECK_EQUAL(tandem_group_result(&group)->member, which);
        CHECK_EQUAL(tandem_group_result(&group)->committed, 0);
        CHECK_EQUAL(tandem_group_result(&group)->done, 0);
        CHECK_EQUAL(hosts[1 - which].link.payload_sent, 0);
        CHECK_EQUAL(members[1 - which].result.status, TANDEM_ERROR_CANCELLED);
        CHECK_EQUAL(members[1 - which].result.runs, TANDEM_RUNS_OLD);
        hosts[which].wire.barred = 0;
        devices[which].device.battery_minimum = 90;
        begin(&new_release, 0);
        CHECK_EQUAL(run(60000), TANDEM_ERROR_BATTERY);
        CHECK_EQUAL(hosts[1 - which].link.payload_sent, 0);
        devices[which].device.battery_minimum = 0;
        begin(&new_release, 0);
        CHECK_EQUAL(run(60000), TANDEM_OK);
        check_all_run(2);
        teardown();
    }
}

/* A member that fails during the transfer, or refuses: all stay on the old firmware, for good. */
static void test_failure_before_the_point_of_no_return(void)
{
    unsigned which, parallel, kind;

    for (kind = 0; kind < 3; kind++) {
        for (parallel = 1; parallel <= 2; parallel++) {
            for (which = 0; which < 2; which++) {
                enum tandem_status status;

                setup(2);
                begin(kind == 1 ? &stranger_release : &new_release, parallel);
                if (kind == 0)
                    devices[which].damage = 12;
                if (kind == 2) {
                    run(60);
                    hosts[which].wire.barred = 1;
                    rig_cut(&hosts[which].wire);
                }
                status = run(60000);
                CHECK_EQUAL(status, kind == 0   ? TANDEM_ERROR_FLASH
                                    : kind == 1 ? TANDEM_ERROR_KEY
                                                : TANDEM_ERROR_TIMEOUT);
                CHECK_EQUAL(tandem_group_result(&group)->committed, 0);
                CHECK_EQUAL(tandem_group_result(&group)->split, 0);
                rig_device_reboot(&devices[0]);
                rig_device_reboot(&devices[1]);
                pass(2000);
                check_all_run(1);
                hosts[which].wire.barred = 0;
                begin(&new_release, parallel);
                CHECK_EQUAL(run(60000), TANDEM_OK);
                check_all_run(2);
                teardown();
            }
        }
    }
}

/* Between validation and activation a member loses what it had: it is noticed, and sent again. */
static void test_recheck(void)
{
    unsigned i;

    setup(2);
    begin(&new_release, 1);
    while (members[1].note == 0 || members[0].note == 1 || tandem_group_phase(&group) < TANDEM_GROUP_PREPARING ||
           tandem_install_state(&devices[0].install) != TANDEM_STATE_VALIDATED)
        REQUIRE(step() == TANDEM_AGAIN);
    /* Somebody else meanwhile begins something else on the first. */
    REQUIRE(tandem_install_begin(&devices[0].install, bad_release.id, bad_release.size, 0) == TANDEM_OK);
    tandem_install_feed(&devices[0].install, 0, bad_release.bytes, 2000);
    for (i = 0; i < 100; i++)
        (void)tandem_install_poll(&devices[0].install);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    check_all_run(2);
    CHECK(hosts[0].link.payload_sent > new_release.size);
    teardown();
}

/* After the point of no return a member is out of reach for a while: it is waited for. */
static void test_member_comes_late(void)
{
    unsigned which, parallel;

    for (parallel = 1; parallel <= 2; parallel++) {
        for (which = 0; which < 2; which++) {
            setup(2);
            begin(&new_release, parallel);
            while (tandem_group_phase(&group) < TANDEM_GROUP_ACTIVATING)
                REQUIRE(step() == TANDEM_AGAIN);
            hosts[which].wire.barred = 1;
            rig_cut(&hosts[which].wire);
            tandem_group_cancel(&group); /* too late: it would split them */
            CHECK_EQUAL(run(4000), TANDEM_AGAIN);
            hosts[which].wire.barred = 0;
            CHECK_EQUAL(run(60000), TANDEM_OK);
            check_all_run(2);
            teardown();
        }
    }
}

/* It never comes back: the others are done, the result says that they are split, and the next run heals them. */
static void test_split_and_healed(void)
{
    setup(3);
    begin(&new_release, 0);
    while (tandem_group_phase(&group) < TANDEM_GROUP_ACTIVATING)
        REQUIRE(step() == TANDEM_AGAIN);
    hosts[1].wire.barred = 1;
    rig_cut(&hosts[1].wire);
    CHECK_EQUAL(run(300000), TANDEM_ERROR_TIMEOUT);
    CHECK_EQUAL(tandem_group_result(&group)->member, 1);
    CHECK_EQUAL(tandem_group_result(&group)->done, 2);
    CHECK_EQUAL(tandem_group_result(&group)->split, 1);
    CHECK_EQUAL(tandem_group_result(&group)->committed, 1);
    CHECK_EQUAL(rig_device_runs(&devices[1]), 1);
    hosts[1].wire.barred = 0;
    begin(&new_release, 0);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    check_all_run(2);
    CHECK_EQUAL(hosts[1].link.payload_sent, new_release.size); /* it still had it */
    teardown();
}

/* A member whose trial fails once is tried again, as the others run the new firmware already. */
static void test_trial_fails_once(void)
{
    setup(2);
    begin(&new_release, 0);
    devices[1].confirm_ms = UINT32_MAX;
    while (tandem_install_state(&devices[1].install) != TANDEM_STATE_TRIAL)
        REQUIRE(step() == TANDEM_AGAIN);
    while (devices[1].boot.bank == 1) { /* power is cut, again and again, before it has confirmed itself */
        rig_device_reboot(&devices[1]);
        run(200);
    }
    devices[1].confirm_ms = 300;
    CHECK_EQUAL(rig_device_runs(&devices[1]), 1);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    CHECK_EQUAL(members[1].healings, 1);
    check_all_run(2);
    teardown();
}

/* Firmware that is bad on every member: all of them come back, and the result says so. */
static void test_bad_firmware(void)
{
    setup(2);
    begin(&bad_release, 0);
    CHECK_EQUAL(run(300000), TANDEM_ERROR_REVERTED);
    CHECK_EQUAL(tandem_group_result(&group)->done, 0);
    CHECK_EQUAL(tandem_group_result(&group)->split, 0);
    check_all_run(1);
    begin(&new_release, 0);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    check_all_run(2);
    teardown();
}

/* Pairs that do not match: the one that is behind is brought up, the other is left alone. */
static void test_unequal_pair(void)
{
    setup(2);
    rig_host_free(&hosts[1]);
    rig_device_make(&devices[1], &new_release, "R");
    rig_host_make(&hosts[1], &devices[1], 0, &plain);
    begin(&new_release, 0);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    check_all_run(2);
    CHECK_EQUAL(members[1].result.already, 1);
    CHECK_EQUAL(members[0].result.already, 0);
    CHECK_EQUAL(hosts[1].link.payload_sent, 0);
    teardown();
}

static void end_at(uint32_t when, unsigned parallel, int cancel)
{
    enum tandem_status status;
    int committed;

    setup(2);
    begin(&new_release, parallel);
    status = run(when);
    committed = tandem_group_result(&group)->committed;
    if (cancel && status == TANDEM_AGAIN) {
        tandem_group_cancel(&group);
        status = run(60000);
        CHECK_EQUAL(status, committed ? TANDEM_OK : TANDEM_ERROR_CANCELLED);
        CHECK_EQUAL(tandem_group_result(&group)->split, 0);
        if (!committed) {
            rig_device_reboot(&devices[0]);
            rig_device_reboot(&devices[1]);
            pass(2000);
        }
        check_all_run(committed ? 2 : 1);
    } else if (status == TANDEM_AGAIN) {
        rig_cut(&hosts[0].wire); /* the host process is gone */
        rig_cut(&hosts[1].wire);
        pass(when % 3 * 700);
    }
    begin(&new_release, parallel);
    CHECK_EQUAL(run(60000), TANDEM_OK);
    check_all_run(2);
    teardown();
}

static void test_ends_at_any_moment(void)
{
    uint32_t when;
    unsigned parallel;

    for (parallel = 1; parallel <= 2; parallel++) {
        for (when = 1; when < 3000; when += when < 30 ? 2 : 37) {
            end_at(when, parallel, 0);
            end_at(when, parallel, 1);
        }
    }
}

/* The host dies between the two activations: the new one finishes, and does not go back. */
static void test_death_between_activations(void)
{
    unsigned which;

    for (which = 0; which < 2; which++) {
        setup(2);
        begin(&new_release, 1);
        while (tandem_install_state(&devices[0].install) < TANDEM_STATE_PENDING)
            REQUIRE(step() == TANDEM_AGAIN);
        CHECK_EQUAL(tandem_install_state(&devices[1].install), TANDEM_STATE_VALIDATED);
        rig_cut(&hosts[0].wire);
        rig_cut(&hosts[1].wire);
        pass(which == 0 ? 50 : 3000);
        begin(&new_release, 1);
        CHECK_EQUAL(run(60000), TANDEM_OK);
        check_all_run(2);
        CHECK_EQUAL(hosts[1].link.payload_sent, new_release.size);
        teardown();
    }
}

int main(void)
{
    rig_release_make(&old_release, &(struct rig_spec){.version = 1, .counter = 1});
    rig_release_make(&new_release, &(struct rig_spec){.version = 2, .counter = 2, .image_size = 20000});
    rig_release_make(&bad_release, &(struct rig_spec){.version = 2, .counter = 2, .bad = 1, .twin = 1});
    rig_release_make(&stranger_release, &(struct rig_spec){.version = 2, .counter = 2, .stranger = 1});
    RUN(test_straight_through);
    RUN(test_order);
    RUN(test_unfit_member);
    RUN(test_failure_before_the_point_of_no_return);
    RUN(test_recheck);
    RUN(test_member_comes_late);
    RUN(test_split_and_healed);
    RUN(test_trial_fails_once);
    RUN(test_bad_firmware);
    RUN(test_unequal_pair);
    RUN(test_ends_at_any_moment);
    RUN(test_death_between_activations);
    rig_release_free(&old_release);
    rig_release_free(&new_release);
    rig_release_free(&bad_release);
    rig_release_free(&stranger_release);
    return check_report();
}
