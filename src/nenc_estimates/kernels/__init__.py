"""Formulas: NumPy arrays in, NumPy arrays out. No tables, files, settings or warnings.

The axis that a formula consumes is the last one; whatever stands in front is a batch (areas, sexes,
periods, draws). An impossible *element* gives ``nan``; a wrong *option* raises ``ValueError``.

Nomenclature

======== =================================================== ======================= ===============
symbol   meaning                                             unit                    axis
======== =================================================== ======================= ===============
width    n, length of an age band                            years                   age
nax      years lived in the band by those who die in it      years                   age
nMx      deaths / person-years in a band                     deaths per person-year  age
nqx      probability of dying in a band                      1                       age
lx       survivors to the start of a band                    people (radix)          age
ndx      deaths in a band                                    people (radix)          age
nLx      person-years lived in a band                        person-years            age
Tx       person-years lived from the start of a band on      person-years            age
ex       life expectancy at the start of a band              years                   age
W        share of a target that a source area makes          1                       area
m        share of a source area that lies inside the target  1                       area
V        variance of an estimate                             unit²
z        standard normal quantile of the two-sided level     1
======== =================================================== ======================= ===============
"""
