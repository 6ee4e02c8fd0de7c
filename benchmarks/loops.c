#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#define BLOCK 1024
/* age-first rows; stride is the distance between rows in doubles; the same checks as the library */
void life_expectancy_age_first(const double *d, const double *p, const double *n, const double *a,
               double *e, double *v, size_t tables, size_t ages, size_t stride)
{
    for (size_t start = 0; start < tables; start += BLOCK) {
        size_t size = tables - start < BLOCK ? tables - start : BLOCK, w = ages - 1;
        const double *restrict dw = d + w * stride + start, *restrict pw = p + w * stride + start;
        double *restrict ew = e + w * stride + start, *restrict vw = v + w * stride + start;
        for (size_t i = 0; i < size; i++) {
            double years = dw[i] > 0 && dw[i] <= pw[i] ? pw[i] / dw[i] : __builtin_nan("");
            ew[i] = years; vw[i] = years * years / dw[i];
        }
        for (size_t x = w; x-- > 0;) {
            const double *restrict dx = d + x * stride + start, *restrict px = p + x * stride + start;
            double *restrict e0 = e + x * stride + start, *restrict v0 = v + x * stride + start;
            const double *restrict e1 = e0 + stride, *restrict v1 = v0 + stride;
            const double nx = n[x], ax = a[x], after = nx - ax;
            for (size_t i = 0; i < size; i++) {
                double r = 1.0 / (px[i] + after * dx[i]), s = px[i] - ax * dx[i], g = after + e1[i];
                double h = nx * r * g;
                s = (s > 0 ? s : 0) * r;
                s = dx[i] >= 0 && dx[i] <= px[i] && px[i] > 0 ? s : __builtin_nan("");
                e0[i] = ax + s * g;
                v0[i] = s * (dx[i] * h * h + s * v1[i]);
            }
        }
    }
}
void life_expectancy_age_last(const double *d, const double *p, const double *n, const double *a,
              double *e, double *v, size_t tables, size_t ages)
{
    for (size_t t = 0; t < tables; t++) {
        const double *restrict dt = d + t * ages, *restrict pt = p + t * ages;
        double *restrict et = e + t * ages, *restrict vt = v + t * ages;
        size_t w = ages - 1;
        double years = dt[w] > 0 && dt[w] <= pt[w] ? pt[w] / dt[w] : __builtin_nan("");
        double var = years * years / dt[w];
        et[w] = years; vt[w] = var;
        for (size_t x = w; x-- > 0;) {
            double after = n[x] - a[x], r = 1.0 / (pt[x] + after * dt[x]), s = pt[x] - a[x] * dt[x];
            double g = after + years, h = n[x] * r * g;
            s = (s > 0 ? s : 0) * r;
            s = dt[x] >= 0 && dt[x] <= pt[x] && pt[x] > 0 ? s : __builtin_nan("");
            years = a[x] + s * g; var = s * (dt[x] * h * h + s * var);
            et[x] = years; vt[x] = var;
        }
    }
}

/* healthy years and their variance by survey and mortality at every age; rows of ages */
void sullivan(const double *d, const double *p, const double *g, const double *asked, const double *n, const double *a,
              double *healthy, double *variance, size_t tables, size_t ages)
{
    for (size_t t = 0; t < tables; t++) {
        const double *restrict dt = d + t * ages, *restrict pt = p + t * ages, *restrict gt = g + t * ages;
        const double *restrict st = asked + t * ages;
        double *restrict ht = healthy + t * ages, *restrict vt = variance + t * ages;
        size_t w = ages - 1;
        double life = pt[w] / dt[w], h = life * gt[w];
        double survey = life * life * gt[w] * (1 - gt[w]) / st[w], mortality = h * h / dt[w];
        ht[w] = h;
        vt[w] = survey + mortality;
        for (size_t x = w; x-- > 0;) {
            double after = n[x] - a[x], r = 1.0 / (pt[x] + after * dt[x]), s = (pt[x] - a[x] * dt[x]) * r;
            double years = n[x] * pt[x] * r, reached = after * gt[x] + h, lost = n[x] * r * reached;
            mortality = s * (dt[x] * lost * lost + s * mortality);
            survey = years * years * gt[x] * (1 - gt[x]) / st[x] + s * s * survey;
            h = years * gt[x] + s * h;
            ht[x] = h;
            vt[x] = survey + mortality;
        }
    }
}

/* contributions of ages to the gap in life expectancy at birth, mean of both directions; rows of ages */
void contributions(const double *m1, const double *m2, const double *n, const double *a, double *out, size_t pairs,
                   size_t ages)
{
    double e1[64], e2[64];
    for (size_t t = 0; t < pairs; t++) {
        const double *restrict x1 = m1 + t * ages, *restrict x2 = m2 + t * ages;
        double *restrict ot = out + t * ages, l1 = 1, l2 = 1;
        size_t w = ages - 1;
        e1[w] = 1 / x1[w];
        e2[w] = 1 / x2[w];
        for (size_t x = w; x-- > 0;) {
            double after = n[x] - a[x], r1 = 1 / (1 + after * x1[x]), r2 = 1 / (1 + after * x2[x]);
            e1[x] = a[x] + (1 - a[x] * x1[x]) * r1 * (after + e1[x + 1]);
            e2[x] = a[x] + (1 - a[x] * x2[x]) * r2 * (after + e2[x + 1]);
        }
        for (size_t x = 0; x < w; x++) {
            double after = n[x] - a[x], r1 = 1 / (1 + after * x1[x]), r2 = 1 / (1 + after * x2[x]);
            double k = n[x] * r1 * r2 * (l1 * (after + e2[x + 1]) + l2 * (after + e1[x + 1])) / 2;
            ot[x] = k * (x1[x] - x2[x]);
            l1 *= (1 - a[x] * x1[x]) * r1;
            l2 *= (1 - a[x] * x2[x]) * r2;
        }
        ot[w] = (l1 + l2) / 2 / (x1[w] * x2[w]) * (x1[w] - x2[w]);
    }
}

/* slope on the middle ranks of people, and its limits */
void slopes(const double *value, const double *people, const double *se, double z, double *slope, double *lower,
            double *upper, size_t groups, size_t quantiles)
{
    for (size_t g = 0; g < groups; g++) {
        const double *restrict v = value + g * quantiles, *restrict p = people + g * quantiles;
        const double *restrict s = se + g * quantiles;
        double total = 0, before = 0, square = 0, made = 0, variance = 0;
        for (size_t q = 0; q < quantiles; q++) total += p[q];
        for (size_t q = 0; q < quantiles; q++) {
            double share = p[q] / total, u = before + share / 2 - 0.5, c = share * u;
            before += share;
            square += c * u;
            made += c * v[q];
            variance += c * c * s[q] * s[q];
        }
        made /= square;
        double margin = z * sqrt(variance) / square;
        slope[g] = made;
        lower[g] = made - margin;
        upper[g] = made + margin;
    }
}

/* weighted means of consecutive areas, and the variance of such a mean of unit variances; starts has one more */
void weighted_means(const double *value, const double *weight, const ptrdiff_t *starts, double *mean, double *variance,
                    size_t targets)
{
    for (size_t t = 0; t < targets; t++) {
        double sum = 0, total = 0, square = 0;
        for (ptrdiff_t i = starts[t]; i < starts[t + 1]; i++) {
            sum += weight[i] * value[i];
            total += weight[i];
            square += weight[i] * weight[i];
        }
        mean[t] = sum / total;
        variance[t] = square / (total * total);
    }
}

/* rows of columns added to their targets; out is 0 before */
void apportion(const double *values, const double *weight, const ptrdiff_t *target, double *out, size_t areas,
               size_t columns)
{
    for (size_t i = 0; i < areas; i++) {
        const double *restrict from = values + i * columns, w = weight[i];
        double *restrict to = out + target[i] * columns;
        for (size_t c = 0; c < columns; c++) to[c] += w * from[c];
    }
}

void wilson(const double *count, const double *n, double z, double *lower, double *upper, size_t areas)
{
    for (size_t i = 0; i < areas; i++) {
        double middle = 2 * count[i] + z * z, margin = z * sqrt(z * z + 4 * count[i] * (1 - count[i] / n[i]));
        lower[i] = (middle - margin) / (2 * (n[i] + z * z));
        upper[i] = (middle + margin) / (2 * (n[i] + z * z));
    }
}

void byar(const double *count, double z, double *lower, double *upper, size_t areas)
{
    for (size_t i = 0; i < areas; i++) {
        double x = count[i], y = x + 1;
        double below = 1 - 1 / (9 * x) - z / (3 * sqrt(x)), above = 1 - 1 / (9 * y) + z / (3 * sqrt(y));
        lower[i] = x * below * below * below;
        upper[i] = y * above * above * above;
    }
}

/* events for each person of the standard population, and the variance; rows of ages */
void standardised(const double *events, const double *people, const double *standard, double *value, double *variance,
                  size_t areas, size_t ages)
{
    double total = 0;
    for (size_t x = 0; x < ages; x++) total += standard[x];
    for (size_t i = 0; i < areas; i++) {
        double sum = 0, squares = 0;
        for (size_t x = 0; x < ages; x++) {
            double weight = standard[x] / people[i * ages + x];
            sum += weight * events[i * ages + x];
            squares += weight * weight * events[i * ages + x];
        }
        value[i] = sum / total;
        variance[i] = squares / (total * total);
    }
}

/* 24 bytes an element: two are read and one is written */
void triad(const double *restrict b, const double *restrict c, double s, double *restrict a, size_t size)
{
    for (size_t i = 0; i < size; i++) a[i] = b[i] + s * c[i];
}
