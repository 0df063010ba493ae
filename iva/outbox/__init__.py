"""Work promised inside a transaction and done after it: nothing committed can be forgotten.

A row of ids is written with the data it speaks of; a nudge wakes a worker; a sweeper finds whatever the
nudge missed. Handing a task to the broker inside a request costs four times as much and can be lost.
"""
