#include <stdio.h>
#include <string.h>

#include "base/error.h"

enum { MICROS = 1000000, SECONDS_PER_DAY = 86400 };

/* Days since 1970-01-01 in the proleptic Gregorian calendar, and back. Years are counted from
 * March, so that the leap day is a year's last: then the months before month m hold
 * (153 m + 2) / 5 days, and 400 years hold 146,097. Years 1 to 9999 only, so nothing is negative
 * before the last line. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t march_year = month > 2 ? year : year - 1;
    int64_t march_month = (month + 9) % 12;
    int64_t days = march_year * 365 + march_year / 4 - march_year / 100 + march_year / 400 +
                   (153 * march_month + 2) / 5 + day - 1;
    return days - 719468; /* 0000-03-01 to 1970-01-01 */
}

static void date_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t shifted = days + 719468;
    int64_t era = shifted / 146097;
    int64_t day_of_era = shifted % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = era * 400 + year_of_era + (*month <= 2 ? 1 : 0);
}

void akidb_time_format(int64_t time, char text_out[AKIDB_TIME_TEXT_SIZE])
{
    if (time < AKIDB_TIME_MIN)
        time = AKIDB_TIME_MIN;
    if (time > AKIDB_TIME_MAX)
        time = AKIDB_TIME_MAX;
    const int64_t micros_per_day = (int64_t)SECONDS_PER_DAY * MICROS;
    int64_t days = time / micros_per_day;
    int64_t rest = time % micros_per_day;
    if (rest < 0) {
        rest += micros_per_day;
        days--;
    }
    int64_t year, month, day;
    date_from_days(days, &year, &month, &day);
    int64_t second = rest / MICROS;
    char text[64]; /* what the compiler thinks that six numbers could need */
    snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)year, (int)month,
             (int)day, (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60),
             (int)(rest % MICROS));
    memcpy(text_out, text, AKIDB_TIME_TEXT_SIZE - 1);
    text_out[AKIDB_TIME_TEXT_SIZE - 1] = '\0';
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Reads exactly `count` digits as a number between the limits. */
static bool take_number(const char **at, int count, int least, int most, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += count;
    *out = value;
    return value >= least && value <= most;
}

static bool take_char(const char **at, char expected)
{
    if (**at != expected)
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* ".123456": what a microsecond cannot hold must be zero. */
static bool take_fraction(const char **at, int *micros_out)
{
    *micros_out = 0;
    if (**at != '.')
        return true;
    (*at)++;
    int digits = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++) {
        if (digits < 6)
            *micros_out = *micros_out * 10 + (**at - '0');
        else if (digits >= 9 || **at != '0')
            return false;
    }
    for (int i = digits; i < 6; i++)
        *micros_out *= 10;
    return digits > 0;
}

/* "Z" or "+01:00", as minutes east of Greenwich. */
static bool take_offset(const char **at, int *minutes_out)
{
    *minutes_out = 0;
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        return true;
    }
    if (**at != '+' && **at != '-')
        return false;
    int sign = **at == '-' ? -1 : 1;
    (*at)++;
    int hours, minutes;
    if (!take_number(at, 2, 0, 23, &hours) || !take_char(at, ':') ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *minutes_out = sign * (hours * 60 + minutes);
    return true;
}

static bool take_clock(const char **at, int64_t *micros_out)
{
    int hour, minute, second, micros, offset;
    if (**at != 'T' && **at != 't' && **at != ' ')
        return false;
    (*at)++;
    if (!take_number(at, 2, 0, 23, &hour) || !take_char(at, ':') ||
        !take_number(at, 2, 0, 59, &minute) || !take_char(at, ':') ||
        !take_number(at, 2, 0, 59, &second) || !take_fraction(at, &micros) ||
        !take_offset(at, &offset))
        return false;
    *micros_out = ((int64_t)(hour * 3600 + minute * 60 + second) - offset * 60) * MICROS + micros;
    return true;
}

static bool parse(const char *text, int64_t *time_out)
{
    int year, month, day;
    if (!take_number(&text, 4, 1, 9999, &year) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, 12, &month) || !take_char(&text, '-') ||
        !take_number(&text, 2, 1, days_in_month(year, month), &day))
        return false;
    int64_t clock = 0;
    if (*text != '\0' && !take_clock(&text, &clock))
        return false;
    int64_t time = days_from_date(year, month, day) * SECONDS_PER_DAY * MICROS + clock;
    if (*text != '\0' || time < AKIDB_TIME_MIN || time > AKIDB_TIME_MAX)
        return false;
    *time_out = time;
    return true;
}

akidb_status akidb_time_parse(const char *text, int64_t *time_out, akidb_error *err)
{
    *time_out = 0;
    if (text == NULL || !parse(text, time_out))
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected a time such as 2026-11-22T09:00:00.000000Z or 2026-11-22, with at "
                       "most six decimals, found \"%.100s\"",
                       text == NULL ? "" : text);
    return AKIDB_OK;
}
