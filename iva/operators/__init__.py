"""The operators' pages: metadata only, one organization at a time, every look and every change audited.

Django's admin gives the lists, searches and pages; what it also gives, forms over every model, is not there:
`site` opens exactly the routes named in it and in `lists`.
"""
